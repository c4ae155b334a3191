"""Recordings that grow: a source hands on samples, a session decides, events open, grow and close, others are told."""
