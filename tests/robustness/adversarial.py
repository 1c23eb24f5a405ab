"""Files of up to 1 MiB that are made to exhaust a reader of dataflows."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST = 2**20
_CAMERA = "nodes:\n  - id: camera\n    path: camera.py\n    outputs: [image]\n"


def filled(head: str, piece: Callable[[int], str], tail: str = "") -> str:
    """Repeat numbered pieces up to the largest size."""
    parts = [head]
    size = len(head.encode()) + len(tail.encode())
    number = 0
    while (size := size + len((part := piece(number)).encode())) <= LARGEST:
        parts.append(part)
        number += 1
    return "".join((*parts, tail))


def _deep_block() -> str:
    lines, size, depth = [], 0, 0
    while size < LARGEST - 4_000:
        lines.append(f"{' ' * (depth % 1_000)}k:")
        size += len(lines[-1]) + 1
        depth += 1
    return "\n".join(lines)


def _reader(number: int) -> str:
    return f"  - {{id: n{number}, path: a.py, inputs: {{x: camra{number}/imgae}}}}\n"


def _bomb() -> str:
    head = "env:\n  k0: &l0 [x, x, x, x, x, x, x, x, x]\n"
    return filled(head, lambda n: f"  k{n + 1}: &l{n + 1} [{', '.join([f'*l{n}'] * 9)}]\n")


FILES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "lists in lists": lambda: filled("nodes: ", lambda _: "["),
        "maps in maps": lambda: filled("nodes: ", lambda _: "{a: "),
        "list entries in list entries": lambda: filled("nodes:\n  ", lambda _: "- "),
        "maps below maps": _deep_block,
        "one word": lambda: filled("nodes: ", lambda _: "a" * 64),
        "one quoted word": lambda: filled('nodes: "', lambda _: "\\x41" * 16, '"'),
        "one word as a node": lambda: filled("nodes: [", lambda _: "a" * 64, "]"),
        "one word as an id": lambda: filled("nodes: [{path: a.py, id: ", lambda _: "a/" * 32, "}]"),
        "one word as a source": lambda: filled("nodes: [{path: a.py, id: a, inputs: {x: ", lambda _: "a/" * 32, "}}]"),
        "one word as a key": lambda: filled("nodes: []\n? ", lambda _: "abcdefgh" * 8, "\n: 1\n"),
        "one word as arguments": lambda: filled("nodes: [{id: a, path: a.py, args: ", lambda _: "a b " * 16, "}]"),
        "one word as a type": lambda: filled(
            "nodes: [{id: a, path: a.py, outputs: [x], output_types: {x: ", lambda _: "List<" * 16, "}}]"
        ),
        "one open quote": lambda: filled('nodes: "', lambda _: "a\n" * 32),
        "one comment": lambda: filled("# ", lambda _: "x" * 64, "\nnodes: []\n"),
        "comments that ignore": lambda: filled("nodes: []\n", lambda _: "# doraflow: ignore[DF207]\n"),
        "a line for each word": lambda: filled("nodes:\n", lambda _: "a\n"),
        "blank lines": lambda: filled("nodes: [\n", lambda _: "\n" * 64, "x"),
        "tabs": lambda: filled("nodes:\n", lambda _: "\t" * 64, "- id: a\n"),
        "tabs in lines": lambda: filled("nodes:\n  - id: a\n", lambda _: "\t\n\t \n"),
        "spaces": lambda: filled("nodes:\n", lambda _: " " * 64, "- id: a\n"),
        "a number": lambda: filled("nodes: [{id: a, path: a.py, max_restarts: ", lambda _: "9" * 64, "}]"),
        "a fraction": lambda: filled("nodes: [{id: a, path: a.py, restart_delay: 0.", lambda _: "9" * 64, "}]"),
        "a size": lambda: filled("nodes: [{id: a, path: a.py, max_log_size: ", lambda _: "9" * 64, "MB}]"),
        "a timer": lambda: filled("nodes: [{id: a, path: a.py, inputs: {x: dora/timer/hz/", lambda _: "9" * 64, "}}]"),
        "a variable": lambda: filled("env: {X: ", lambda _: "9" * 64, "}\nnodes: []"),
        "keys at the top": lambda: filled("nodes: []\n", lambda n: f"k{n}: 1\n"),
        "keys of a node": lambda: filled("nodes:\n  - id: a\n    path: a.py\n", lambda n: f"    k{n}: 1\n"),
        "keys that are nearly right": lambda: filled(
            "nodes:\n  - id: a\n    path: a.py\n", lambda n: f"    shared_memory_pool_siz{n}: 1\n"
        ),
        "one key again and again": lambda: filled("nodes: []\n", lambda _: "k: 1\n"),
        "keys that are numbers": lambda: filled("nodes: []\n", lambda n: f"{n}: 1\n"),
        "variables": lambda: filled("nodes: []\nenv:\n", lambda n: f"  k{n}: 1\n"),
        "reserved variables": lambda: filled("nodes: []\nenv:\n", lambda n: f"  DORA_ZENOH_{n}: 1\n"),
        "secrets": lambda: filled("nodes: []\nenv:\n", lambda n: f"  API_KEY_{n}: hunter{n}Xy9kLm\n"),
        "empty maps as nodes": lambda: filled("nodes: [", lambda _: "{}, ", "]"),
        "texts as nodes": lambda: filled("nodes: [", lambda _: "a, ", "]"),
        "nodes without ids": lambda: filled("nodes:\n", lambda _: "  - path: a.py\n"),
        "nodes of one id": lambda: filled("nodes:\n", lambda _: "  - {id: a, path: a.py}\n"),
        "nodes of illegal ids": lambda: filled("nodes:\n", lambda n: f"  - {{id: a/{n}, path: a.py}}\n"),
        "nodes without a program": lambda: filled("nodes:\n", lambda n: f"  - id: n{n}\n"),
        "references to nodes that are not there": lambda: filled(_CAMERA, _reader),
        "references to outputs that are not there": lambda: filled(
            _CAMERA, lambda n: f"  - {{id: n{n}, path: a.py, inputs: {{x: camera/imgae{n}}}}}\n"
        ),
        "references to near nodes": lambda: filled(
            "nodes:\n", lambda n: f"  - {{id: node{n}, path: a.py, inputs: {{x: noed{n}/x}}}}\n"
        ),
        "inputs of one node": lambda: filled(f"{_CAMERA}    inputs:\n", lambda n: f"      i{n}: camera/imag{n}\n"),
        "outputs of one node": lambda: filled(
            "nodes:\n  - id: a\n    path: a.py\n    outputs:\n", lambda n: f"      - o{n}\n"
        ),
        "one output again and again": lambda: filled("nodes: [{id: a, path: a.py, outputs: [", lambda _: "x, ", "]}]"),
        "types of outputs that are not there": lambda: filled(
            "nodes:\n  - id: a\n    path: a.py\n    outputs: [x]\n    output_types:\n", lambda n: f"      o{n}: x\n"
        ),
        "unknown types": lambda: filled(
            "nodes:\n",
            lambda n: f"  - {{id: n{n}, path: a.py, outputs: [x], output_types: {{x: std/media/v1/Imag{n}}}}}\n",
        ),
        "operators of one node": lambda: filled(
            "nodes:\n  - id: a\n    operators:\n",
            lambda n: f"      - {{id: o{n}, python: a.py, inputs: {{x: a/y{n}/x}}}}\n",
        ),
        "malformed timers": lambda: filled(
            "nodes:\n", lambda n: f"  - {{id: n{n}, path: a.py, inputs: {{x: dora/timer/millis/x{n}}}}}\n"
        ),
        "nodes that read themselves": lambda: filled(
            "nodes:\n", lambda n: f"  - {{id: n{n}, path: a.py, outputs: [x], inputs: {{x: n{n}/x}}}}\n"
        ),
        "a ring of nodes": lambda: filled(
            "nodes:\n  - {id: n0, path: a.py, outputs: [x], inputs: {x: n1/x}}\n",
            lambda n: f"  - {{id: n{n + 1}, path: a.py, outputs: [x], inputs: {{x: n{n}/x, y: n{n + 2}/x}}}}\n",
        ),
        "many small rings": lambda: filled(
            "nodes:\n",
            lambda n: (
                f"  - {{id: a{n}, path: a.py, outputs: [x], inputs: {{x: b{n}/x}}}}\n"
                f"  - {{id: b{n}, path: a.py, outputs: [x], inputs: {{x: a{n}/x}}}}\n"
            ),
        ),
        "machines": lambda: filled("nodes: []\nhosts:\n", lambda n: f"  h{n}: {{address: 10.0.0.1}}\n"),
        "unknown machines": lambda: filled(
            "hosts: {robot: {}}\nnodes:\n", lambda n: f"  - {{id: n{n}, path: a.py, deploy: {{machine: robt{n}}}}}\n"
        ),
        "profiles": lambda: filled(
            "nodes: [{id: a, path: a.py}]\nprofiles:\n", lambda n: f"  p{n}: {{env: {{A: 1}}}}\n"
        ),
        "nodes of a profile": lambda: filled(
            "nodes: [{id: a, path: a.py}]\nprofiles:\n  p:\n    nodes:\n", lambda n: f"      a{n}: {{args: x}}\n"
        ),
        "modules": lambda: filled("nodes:\n", lambda n: f"  - {{id: n{n}, module: nav.yml, inputs: {{gaol: n/x}}}}\n"),
        "type rules": lambda: filled(
            "nodes: []\ntype_rules:\n", lambda n: f"  - {{from: std/core/v1/UInt8, to: std/core/v1/UInt{n}}}\n"
        ),
        "old nodes": lambda: filled("nodes:\n", lambda n: f"  - {{id: n{n}, custom: {{source: a.py}}}}\n"),
        "aliases": lambda: filled("nodes: [{id: a, path: a.py}]\nenv:\n  a: &a x\n", lambda n: f"  k{n}: *a\n"),
        "aliases of a list": lambda: filled("env: &a [x, x, x, x]\nnodes: [", lambda _: "*a, ", "]"),
        "aliases of aliases": _bomb,
        "anchors": lambda: filled("nodes: [", lambda n: f"&a{n} x, ", "]"),
        "anchors and an unknown alias": lambda: filled("nodes: [", lambda n: f"&a{n} x, ", "*b]"),
        "tags": lambda: filled("nodes: [", lambda n: f"!t{n} x, ", "]"),
        "spaces after an anchor": lambda: filled("nodes: &a ", lambda _: " " * 64, "\n- x\n"),
        "exclamation marks": lambda: filled("nodes: ", lambda _: "!" * 64),
        "question marks": lambda: filled("", lambda _: "? "),
        "colons": lambda: filled("nodes: ", lambda _: "a: "),
        "commas": lambda: filled("nodes: [", lambda _: "a,", "]"),
        "documents": lambda: filled("nodes: []\n", lambda _: "---\n"),
        "breaks of another kind": lambda: filled("nodes: []\n", lambda _: "# \u2028\x85\r\n"),
        "letters beyond the basic plane": lambda: filled("nodes: [", lambda n: f"😀{n}, ", "]"),
        "a block text": lambda: filled("nodes: [{id: a, path: a.py}]\nname: |\n", lambda _: "  text\n"),
        "quotes in arguments": lambda: filled('nodes: [{id: a, path: a.py, args: "', lambda _: "'' " * 16, '"}]'),
        "parameters in arguments": lambda: filled(
            "nodes: [{id: a, module: nav.yml, params: {", lambda n: f"p{n}: $x, ", "}}]"
        ),
    }
)
