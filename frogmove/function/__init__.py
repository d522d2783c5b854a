"""What the Lambda's thin handler is made of."""
