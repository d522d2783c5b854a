"""The S3 client: the only code that sends requests to S3."""
