"""`python -m abierto` is the same as `abierto`."""

from abierto.cli import main

main()
