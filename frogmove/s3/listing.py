"""Listings as streams: one page is read while the one before it is used."""

from collections.abc import Iterator

from frogmove.s3 import S3, S3Object


def list_prefix(s3: S3, bucket: str, prefix: str) -> Iterator[S3Object]:
    """List every object whose key begins with a prefix, in the server's order.

    Raises:
        S3Error: when a page cannot be had; what was listed before it is not the whole.
    """
    coming = s3.list_page(bucket, prefix)
    while True:
        page = coming.result()
        if page.token is not None:
            coming = s3.list_page(bucket, prefix, page.token)
        yield from page.objects
        if page.token is None:
            return


def list_folder(s3: S3, bucket: str, folder: str) -> Iterator[S3Object]:
    """List the object named ``folder`` and those under ``folder/``; ``""`` lists everything.

    Raises:
        S3Error: when a page cannot be had.
    """
    if folder and not folder.endswith("/"):
        # A key sorts before all others that begin with it.
        first = s3.list_page(bucket, folder, limit=1).result().objects
        yield from (item for item in first if item.key == folder)
        folder += "/"
    yield from list_prefix(s3, bucket, folder)
