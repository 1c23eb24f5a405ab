"""Bundles looked at before they run: whether they are as they were built, and whether someone trusted signed them."""
