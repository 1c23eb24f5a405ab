"""Dataflow files for the analysis tests, from a line for each node."""

from __future__ import annotations

TIMER = "dora/timer/hz/1"


def flow(*nodes: str) -> str:
    """Write nodes given as `a < b.x c.y`: a reads output x of b and y of c; every node has the outputs x and y."""
    lines = ["nodes:"]
    for text in nodes:
        name, _, sources = text.partition(" < ")
        lines += [f"  - id: {name}", f"    path: {name}.py", "    outputs: [x, y]"]
        if sources:
            lines += ["    inputs:"]
            lines += [f"      {_entry(number, source)}" for number, source in enumerate(sources.split())]
    return "\n".join(lines) + "\n"


def _entry(number: int, source: str) -> str:
    blocks, text = source.startswith("!"), source.removeprefix("!").replace(".", "/")
    return f"i{number}: {{source: {text}, queue_policy: backpressure}}" if blocks else f"i{number}: {text}"
