"""New projects and new nodes: from answers to a dataflow that checks clean, with a skeleton for each node."""
