"""Checkpoints and inference: the only rooms with torch on the way from a file to events."""
