"""What surrounds the buckets: the embedded AWS and the packaging of the Lambda."""
