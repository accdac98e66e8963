"""The command line as ``python -m nas``."""

from nas.cli.app import main

main()
