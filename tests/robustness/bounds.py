"""More files of up to 1 MiB, each made against one thing that once took time or memory out of proportion.

They are for `tests.robustness.test_target`, like those of `adversarial`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.robustness.adversarial import filled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NODE = "nodes: [{id: a, path: a.py, "
_LONG = "abcd" * 10


def _halves(head: str, first: Callable[[int], str], middle: str, second: Callable[[int], str]) -> str:
    """Fill one half of a file with pieces of one kind, and the other with as many of another."""
    pieces = [first(number) for number in range(10_000)]
    return filled(f"{head}{''.join(pieces)}{middle}", second)


def _operator(number: int) -> str:
    return f"      - {{id: o{number}, python: a.py, inputs: {{x: a/o{max(number - 1, 0)}/y}}, outputs: [y]}}\n"


def _log_operator(number: int) -> str:
    return f"      - {{id: o{number}, python: a.py, outputs: [y], send_stdout_as: y}}\n"


def _long_names() -> str:
    nodes = "".join(f"  - {{id: {_LONG}{number}, path: a.py}}\n" for number in range(390))
    reader = "  - id: z\n    path: a.py\n    inputs:\n"
    return filled(f"nodes:\n{nodes}{reader}", lambda n: f"      i{n}: x{_LONG}{n}y/x\n")


def _two_huge_names() -> str:
    nodes = "".join(f"  - {{id: n{number}, path: a.py}}\n" for number in range(450))
    readers = f"  - {{id: z, path: a.py, inputs: {{x: n7x/x, y: {'a' * 499_000}b/x}}}}\n"
    return f"nodes:\n  - {{id: {'a' * 500_000}, path: a.py}}\n{nodes}{readers}"


MADE: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "a path of a million folders": lambda: filled("nodes: [{id: a, path: ", lambda _: "a/" * 32, "}]"),
        "a module of a million folders": lambda: filled("nodes: [{id: a, module: ", lambda _: "a/" * 32, "}]"),
        "references with no end": lambda: filled(f"{_NODE}env: {{A: '", lambda _: "${A:-" * 8, "'}}]"),
        "parameters with no end": lambda: filled(
            "module: {name: m}\nnodes: [{id: a, path: a.py, args: '", lambda _: "${_param." * 8, "'}]"
        ),
        "blank lines after a key": lambda: filled("nodes: []\nenv:\n", lambda _: "\n" * 64, "  A: 1\n"),
        "an address of letters": lambda: filled("nodes: []\nenv: {A: '", lambda _: "a" * 64, "://'}"),
        "options in one word": lambda: filled(f"{_NODE}args: ", lambda _: "-a" * 32, "}]"),
        "beginnings of keys": lambda: filled("nodes: []\nenv: {A: '", lambda _: "sk-a-" * 16, "'}"),
        "beginnings of tokens": lambda: filled("nodes: []\nenv: {A: '", lambda _: "-eyJ" * 16, "'}"),
        "secrets on one line": lambda: filled(
            "env: {", lambda n: f"API_KEY_{n}: sk-{n}Xy9kLm8Qw2Er4Ty6Ui8Op0, ", "}\nnodes: []"
        ),
        "codes in a comment": lambda: filled("nodes: []\n# doraflow: ignore[", lambda n: f"DF{n}x, ", "]\n"),
        "directives": lambda: filled("", lambda n: f"%TAG !a{n}! tag:x,2000:\n", "---\nnodes: []\n"),
        "a line with a colon too many": lambda: f"nodes: a\n a{' ' * 1_000_000}b: c\n",
        "a word in brackets": lambda: f"nodes: [a\n  {'a' * 1_000_000} b: c: d]\n",
        "a chain of operators": lambda: filled("nodes:\n  - id: a\n    operators:\n", _operator),
        "operators that are read for their lines": lambda: _halves(
            "nodes:\n  - id: a\n    operators:\n",
            _log_operator,
            "",
            lambda n: f"  - {{id: n{n}, path: a.py, inputs: {{x: a/o{n % 10_000}/y}}}}\n",
        ),
        "long names that are nearly right": _long_names,
        "two names of half a million letters": _two_huge_names,
        "nodes of a profile that are nearly right": lambda: _halves(
            "nodes:\n",
            lambda n: f"  - {{id: node{n}, path: a.py}}\n",
            "profiles:\n  p:\n    nodes:\n",
            lambda n: f"      noed{n}: {{args: x}}\n",
        ),
        "ports of a module that are nearly right": lambda: _halves(
            "module:\n  name: m\n  inputs:\n",
            lambda n: f"    - input{n}\n",
            "nodes:\n  - id: z\n    path: a.py\n    inputs:\n",
            lambda n: f"      i{n}: _mod/inptu{n}\n",
        ),
        "outputs of a module": lambda: _halves(
            "module:\n  name: m\n  outputs:\n",
            lambda n: f"    - o{n}\n",
            "nodes:\n",
            lambda n: f"  - {{id: n{n}, path: a.py, outputs: [o{n}]}}\n",
        ),
        "modules without their inputs": lambda: filled("nodes:\n", lambda n: f"  - {{id: n{n}, module: nav.yml}}\n"),
    }
)
