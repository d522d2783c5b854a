"""Builds the zips for deploying the Lambda."""
