"""A whole archive: every recording below a folder, resumable."""
