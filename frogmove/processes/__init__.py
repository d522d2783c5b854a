"""Worker processes: a run, range by range of its keys, and a listing, page by page."""
