"""What operators ask of a deployed route."""
