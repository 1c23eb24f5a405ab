"""Dataflows of any size for benchmarks, as real ones look: chains of ten nodes with queues, types and environments.

Nothing here measures. Every dataflow is written into a folder of its own; no node's source exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

CHAIN = 10
NODES_OF_A_TYPE_FILE = 100


def flat(folder: Path, nodes: int) -> Path:
    """Write one file without any finding."""
    return _write(folder, [_chain(f"line_{number}", "std/media/v1/Image") for number in range(nodes // CHAIN)])


def findings(folder: Path, nodes: int) -> Path:
    """Write one file with about one finding for each node: notes, warnings, and a type that does not fit."""
    chains = []
    for number in range(nodes // CHAIN):
        chain = _chain(f"line_{number}", "std/media/v1/Image")
        chain = chain.replace("outputs: [image]", "outputs: [image, spare]")
        chains.append(chain.replace("image: std/media/v1/Image\n    env", "image: std/core/v1/Float32\n    env", 1))
    return _write(folder, chains)


def wrong(folder: Path, nodes: int) -> Path:
    """Write one file in which every reference is misspelt."""
    chains = (_chain(f"line_{number}", "std/media/v1/Image") for number in range(nodes // CHAIN))
    return _write(folder, (chain.replace("source: line_", "source: lime_") for chain in chains))


def modules(folder: Path, nodes: int) -> Path:
    """Write a file that includes one module of ten nodes as often as it takes."""
    inner = _chain("line", "std/media/v1/Image").replace("tick: dora/timer/millis/20", "image: _mod/image")
    header = "module:\n  name: line\n  inputs: [image]\n"
    (folder / "line.module.yml").write_text(f"{header}nodes:\n{inner}", encoding="utf-8")
    camera = "  - {id: camera, path: camera.py, inputs: {tick: dora/timer/millis/20}, outputs: [image]}\n"
    included = [
        f"  - id: robot_{number}\n    module: line.module.yml\n    inputs:\n      image: camera/image\n"
        for number in range(nodes // CHAIN)
    ]
    return _write(folder, [camera, *included])


def types(folder: Path, nodes: int) -> Path:
    """Write one file whose nodes use types of the project's own, some of them nested."""
    (folder / "types").mkdir()
    for number in range(1 + nodes // NODES_OF_A_TYPE_FILE):
        text = _TYPE_FILE.replace("Point>", f"unit_{number}/Point>")
        (folder / "types" / f"unit_{number}.yml").write_text(text, encoding="utf-8")
    chains = (
        _chain(f"line_{number}", f"unit_{number * CHAIN // NODES_OF_A_TYPE_FILE}/Sample")
        for number in range(nodes // CHAIN)
    )
    return _write(folder, chains)


KINDS: Mapping[str, Callable[[Path, int], Path]] = {
    "flat": flat,
    "findings": findings,
    "wrong": wrong,
    "modules": modules,
    "types": types,
}

_TYPE_FILE = """\
types:
  Point:
    arrow: Struct
    fields:
      - {name: x, type: Float64}
      - {name: y, type: Float64}
  Sample:
    arrow: Struct
    fields:
      - {name: stamp, type: Int64}
      - {name: places, type: List<Point>}
"""


def _chain(name: str, type_name: str) -> str:
    """Write ten nodes: a timer feeds the first, each reads the one before it, and every third the first as well."""
    head = (
        f"  - id: {name}_0\n    path: nodes/source.py\n    inputs:\n      tick: dora/timer/millis/20\n"
        f"    outputs: [image, settings]\n    output_types:\n      image: {type_name}\n    env:\n      RATE: 30\n"
    )
    inner = (_inner(name, place, type_name) for place in range(1, CHAIN))
    return head + "".join(inner)


def _inner(name: str, place: int, type_name: str) -> str:
    aux = f"      settings: {name}_0/settings\n" if place % 3 == 0 else ""
    last = place == CHAIN - 1
    sends = "" if last else f"    outputs: [image]\n    output_types:\n      image: {type_name}\n"
    return (
        f"  - id: {name}_{place}\n    path: nodes/step_{place}.py\n    inputs:\n      image:\n"
        f"        source: {name}_{place - 1}/image\n        queue_size: 2\n{aux}"
        f'    input_types:\n      image: {type_name}\n{sends}    env:\n      RATE: 30\n      GAIN: "0.5"\n'
    )


def _write(folder: Path, chains: Iterable[str]) -> Path:
    path = folder / "dataflow.yml"
    path.write_text("nodes:\n" + "".join(chains), encoding="utf-8")
    return path
