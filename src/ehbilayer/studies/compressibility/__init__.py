"""Studies of kind "compressibility": keys, task, table and figure."""
