"""What operators do with runs: find one, ask it, wait for it, and put what it says into tables.

Nothing here compiles a dataflow, and nothing prints: the command line does both.
"""
