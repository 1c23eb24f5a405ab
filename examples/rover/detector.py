"""Counts what is bright in an image."""

import pyarrow as pa
import pyarrow.compute as pc
from dora import Node

with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            bright = pc.sum(pc.greater(event["value"], 200)).as_py()
            node.send_output("count", pa.array([bright]))
