"""`python -m doraflow`."""

from doraflow.cli.entry import main

main()
