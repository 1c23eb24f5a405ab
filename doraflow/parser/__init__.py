"""Text to syntax tree to model: the only stage of the compiler that reads the input files."""
