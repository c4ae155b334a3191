"""Scores of hypotheses against annotations, operating points and intervals: pure functions of arrays and events."""
