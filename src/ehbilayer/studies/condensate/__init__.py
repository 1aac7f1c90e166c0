"""Studies of kind "condensate": keys, task, table and figure."""
