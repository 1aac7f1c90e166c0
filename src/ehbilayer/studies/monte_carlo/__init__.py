"""Studies of kind "monte-carlo": keys, task, table and figure."""
