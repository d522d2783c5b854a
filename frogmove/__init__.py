"""Move keys between two S3 buckets without ever losing one."""

__version__ = "0.1.0"
