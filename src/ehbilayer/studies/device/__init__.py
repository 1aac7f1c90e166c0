"""Studies of kind "device": keys, task, table and figure."""
