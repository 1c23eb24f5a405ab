"""Checks of the machine: facts read once, then judged by functions that touch nothing."""
