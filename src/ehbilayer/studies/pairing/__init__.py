"""Studies of kind "pairing": keys, task, table and figure."""
