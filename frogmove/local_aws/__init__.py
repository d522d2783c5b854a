"""An AWS on this machine: for the demo, for trying things, for tests."""
