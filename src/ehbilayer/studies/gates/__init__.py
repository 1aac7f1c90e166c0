"""Studies of kind "gates": keys, task, table and figure."""
