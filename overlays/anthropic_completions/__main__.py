"""`python -m anthropic_completions`: the command line."""

from .cli import main

main()
