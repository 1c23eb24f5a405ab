"""Sends twenty readings."""

import pyarrow as pa
from dora import Node

with Node() as node:
    for step in range(20):
        node.send_output("celsius", pa.array([20 + step / 10]))
