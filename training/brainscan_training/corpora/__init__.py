"""Corpora behind one interface: recordings with annotations, subjects and splits."""
