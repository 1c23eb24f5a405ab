"""Shows what was counted."""

from dora import Node

with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            print(f"{event['value'][0].as_py()} bright")
