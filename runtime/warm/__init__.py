"""The warm start: one process that has imported everything, forked for each Python node."""
