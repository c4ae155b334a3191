"""From samples to windows: pure functions and explicit states, no files, no torch."""
