"""Studies of kind "phases": keys, task, table and figure."""
