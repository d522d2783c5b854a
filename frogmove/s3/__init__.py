"""The only code that speaks to S3."""
