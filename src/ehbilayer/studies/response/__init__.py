"""Studies of kind "response": keys, task, table and figure."""
