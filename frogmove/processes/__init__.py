"""Worker processes: a run on every core, range by range of its keys."""
