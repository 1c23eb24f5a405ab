"""Typed stubs: a module for each node, one for the struct types, and the package around them."""
