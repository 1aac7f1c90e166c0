"""Studies of kind "liquid": keys, task, table and figure."""
