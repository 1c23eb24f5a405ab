"""The zenoh transport: links between hosts, and outputs that other zenoh applications can listen to."""
