"""Studies of kind "hartree-fock": keys, task, table and figure."""
