"""The HTML report of an evaluation: one file that can be read, printed and sent on."""
