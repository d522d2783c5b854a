"""The embedded AWS: for the demo, for experiments, and for tests."""
