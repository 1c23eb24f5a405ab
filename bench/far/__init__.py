"""The comparison across a link between two hosts: `python -m bench.far`."""
