"""Placement: what nodes ask of machines, what travels between nodes, and which machine each node gets."""
