"""Studies of kind "thermal": keys, task, table and figure."""
