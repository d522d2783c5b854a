"""The zips that the Lambda is deployed from."""
