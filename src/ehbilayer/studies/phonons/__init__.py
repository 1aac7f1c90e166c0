"""Studies of kind "phonons": keys, task, table and figure."""
