"""The command line: one thin file a subcommand, loaded only when it is called."""
