"""Makes bytes with a CRC32 to order, as an uploader with bad intentions could."""

import zlib

# The table's entry for the byte b: crc32 of one byte, without what begins and ends the sum.
_TABLE = [zlib.crc32(bytes([byte ^ 0xFF])) ^ 0xFF000000 for byte in range(256)]
_BY_TOP = {entry >> 24: byte for byte, entry in enumerate(_TABLE)}


def forge(body: bytes, crc: int) -> bytes:
    """Return the four bytes behind which a body has this CRC32."""
    wanted = crc ^ 0xFFFFFFFF
    for _ in range(4):
        byte = _BY_TOP[wanted >> 24]
        wanted = ((wanted ^ _TABLE[byte]) << 8 | byte) & 0xFFFFFFFF
    return (wanted ^ zlib.crc32(body) ^ 0xFFFFFFFF).to_bytes(4, "little")
