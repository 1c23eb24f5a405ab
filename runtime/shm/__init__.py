"""The data plane inside one host: payload pools in shared memory, descriptors over Unix sockets."""
