"""What is known of the field's corpora, and whose a recording is; one answer for every command."""
