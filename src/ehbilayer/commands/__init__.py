"""The subcommands of `ehb`. Nothing is computed here, and nothing heavy is imported before it is needed."""
