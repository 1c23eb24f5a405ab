"""Keys of the links between hosts: the files that hold them, and the ring of keys that one host knows."""
