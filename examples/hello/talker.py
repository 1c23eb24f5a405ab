"""Sends three lines and ends."""

import pyarrow as pa
from hello_stubs.talker import Talker

with Talker() as node:
    for line in ("a dataflow is a graph", "its nodes are processes", "its edges carry Arrow arrays"):
        node.outputs.line.send(pa.array([line]))
