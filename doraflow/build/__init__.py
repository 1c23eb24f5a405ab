"""What touches the disk after parsing: build steps, node sources, and the bundle itself."""
