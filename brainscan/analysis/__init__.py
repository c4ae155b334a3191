"""One analysis, whoever starts it: what is asked for, what is checked first, what became of it."""
