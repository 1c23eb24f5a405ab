"""Fuzzing of what reads files that users write. Not part of the distribution."""
