"""The doraflow runtime: what a machine needs to run a bundle, and nothing of the compiler."""
