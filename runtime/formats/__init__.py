"""Payload formats: how an Arrow array is laid out in a buffer."""
