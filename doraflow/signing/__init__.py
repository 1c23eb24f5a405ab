"""Bundles signed where they are built; they are checked by the runtime's own code."""
