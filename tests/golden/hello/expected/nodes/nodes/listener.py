"""Listens."""
