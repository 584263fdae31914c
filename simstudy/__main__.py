"""``python -m simstudy``: the command line."""

from simstudy.cli import main

main()
