"""Everything that only the Lambda needs."""
