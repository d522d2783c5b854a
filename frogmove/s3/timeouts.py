"""How long an answer may take: most come at once, that of a large copy when it is made."""

# Seconds for a connection to be made.
CONNECT = 5.0

# Seconds for a connection and its TLS handshake, through a proxy, too.
HANDSHAKE = 8.0

# Seconds in which some of an answer has to arrive. Twice this is less than a minute.
QUICK = 20.0

# S3 answers a copy early and keeps the connection busy; other servers answer when it is done.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
SLOW = 300.0

# Bytes; what is copied within QUICK even by a slow disk, with many others at the same time.
LARGE = 8 * 1024 * 1024

# Seconds without a word of the server to anybody, after which it is asked no more.
SILENT = 38.0


def of_copy(size: int) -> float:
    """Return the seconds that the copy of so many bytes may take to be answered."""
    return QUICK if size <= LARGE else SLOW
