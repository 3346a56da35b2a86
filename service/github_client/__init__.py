"""GitHub through PyGithub, of which this is the only importer; `ports.py` says what it offers."""
