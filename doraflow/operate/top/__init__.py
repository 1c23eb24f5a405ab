"""The operators' screen: runs, their nodes, ports and logs, and keys to act on them.

Textual is imported by `app` and `confirming` alone, and these only when the command runs.
"""
