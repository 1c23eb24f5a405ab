"""Older dialects of the language: what they wrote otherwise, as edits that make it modern."""
