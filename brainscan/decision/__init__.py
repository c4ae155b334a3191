"""From the probabilities of windows to events: pure functions and explicit states, no torch."""
