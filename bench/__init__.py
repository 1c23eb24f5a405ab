"""Benchmarks: each is a module that is run as a command and prints a table."""
