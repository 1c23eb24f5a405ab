"""Operators that run inside a node process."""
