"""Generated code as ruff would leave it, however long its names are."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doraflow.codegen.layout import WIDTH, call, import_from, in_export_order, in_import_order, union

NAMES = st.from_regex(r"[A-Za-z]([A-Za-z0-9_]{0,8}[A-Za-z0-9])?", fullmatch=True)


def ruff(source: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--no-cache", "--line-length", str(WIDTH), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("length", [1, 20, 36, 37, 38, 39, 40, 41, 60, 100])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_calls_unions_and_imports_are_laid_out_as_ruff_would(length: int, count: int) -> None:
    names = [f"N{number}{'n' * length}" for number in range(count)]
    entry = call('"key": head', names, 4, tail=",")
    lines = [
        import_from("somewhere", ["Head", *names]),
        "",
        union("Event: TypeAlias = ", ["Stop", *names]),
        call("head", names, 0),
        "made = {",
        f"    {entry}",
        "}",
        "",
        "",
        "class A:",
        "    def __init__(self, node):",
        f"        {call('self.output = Head[str]', ['node', *names], 8)}",
    ]
    source = "\n".join(lines) + "\n"
    assert ruff(source, "format") == source


@settings(max_examples=25, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=12))
def test_names_are_sorted_as_ruff_sorts_them(names: list[str]) -> None:
    imported = f"{import_from('somewhere', names)}\n"
    exported = "".join(f'    "{name}",\n' for name in in_export_order(names))
    source = f"{imported}\n__all__ = [\n{exported}]\n"
    assert ruff(source, "check", "--select", "I001,RUF022", "--fix", "--quiet") == source
    assert sorted(in_import_order(names)) == sorted(set(names))
