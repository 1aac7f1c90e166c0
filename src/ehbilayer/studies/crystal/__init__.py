"""Studies of kind "crystal": keys, task, table and figure."""
