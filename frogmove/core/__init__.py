"""The transfer library: what moving means. No boto3, no terminal, no environment."""
