"""Timeouts. Most responses arrive quickly; that of a large copy when it is complete."""

# Seconds to connect.
CONNECT = 5.0

# Seconds to connect, including the TLS handshake and a proxy.
HANDSHAKE = 8.0

# Seconds until the first byte of a response. Twice this is less than a minute.
QUICK = 20.0

# S3 starts the response to a copy early and keeps the connection alive; other servers respond when
# the copy is complete.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
SLOW = 300.0

# Bytes that even a slow disk copies within QUICK, together with many other copies.
LARGE = 8 * 1024 * 1024

# Seconds without any response, after which no more requests are sent.
STALLED = 38.0


def of_copy(size: int) -> float:
    """Return the timeout in seconds for a copy of this size."""
    return QUICK if size <= LARGE else SLOW
