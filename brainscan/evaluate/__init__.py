"""Detectors and event files against annotations: figures, with how sure they are."""
