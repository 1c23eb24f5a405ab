"""Bundles brought to the machines of a dataflow over SSH, switched there, started, stopped and taken back.

Nothing here compiles a dataflow, and nothing prints: the command line does both.
"""
