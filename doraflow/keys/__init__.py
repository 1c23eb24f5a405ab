"""Keys of hosts, made and looked after where a dataflow is operated; hosts only read them, with the runtime's code."""
