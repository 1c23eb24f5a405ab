"""Old dataflow files rewritten in the modern dialect, with their comments and their order."""
