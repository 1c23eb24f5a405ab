"""Model to graph to plan: one module per pass, no I/O."""
