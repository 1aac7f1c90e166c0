"""`python -m ehbilayer` is the command `ehb`."""

from ehbilayer.cli import main

main()
