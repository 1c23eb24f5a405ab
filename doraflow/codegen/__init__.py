"""Plan to files: pure functions that end in a FileSet."""
