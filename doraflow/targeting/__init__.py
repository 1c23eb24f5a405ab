"""What deploy targets share: how they are found, what they are called by, and what they need to know of a host."""
