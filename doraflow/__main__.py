"""`python -m doraflow`."""

from doraflow.cli.main import main

main()
