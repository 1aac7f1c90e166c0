"""Studies of kind "few-body": keys, task, table and figure."""
