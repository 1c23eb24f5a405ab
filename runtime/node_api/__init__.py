"""What node code uses: Node, events, outputs, loans, and the `dora` compatibility module."""
