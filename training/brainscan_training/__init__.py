"""Makes checkpoints: corpora, cache, composed windows, loss, loop. Uses brainscan's own pipeline throughout."""
