"""Scripts that are compiled once for several nodes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.warm.request import Request
from doraflow_runtime.warm.shared_code import SharedCode

if TYPE_CHECKING:
    from pathlib import Path


def asked(path: object, times: int = 2) -> list[Request]:
    return [Request(("python", str(path), "--number", str(number)), "/", 1) for number in range(times)]


def test_a_script_of_several_nodes_is_compiled_once(tmp_path: Path) -> None:
    script = tmp_path / "node.py"
    script.write_text("word = 'first'\n")
    shared = SharedCode()
    (code,) = shared.compile(asked(script)).values()
    assert code is not None
    assert code.co_filename == str(script)
    assert shared.compile(asked(script, 3)) == {str(script): code}
    names: dict[str, object] = {}
    exec(code, names)
    assert names["word"] == "first"


def test_a_script_that_has_changed_is_compiled_again(tmp_path: Path) -> None:
    script = tmp_path / "node.py"
    script.write_text("word = 1\n")
    shared = SharedCode()
    before = shared.compile(asked(script))[str(script)]
    script.write_text("word = 2\n")
    os.utime(script, ns=(1, 1))
    after = shared.compile(asked(script))[str(script)]
    assert before is not None
    assert after is not None
    assert (before.co_consts[0], after.co_consts[0]) == (1, 2)


@pytest.mark.parametrize("text", ["def\n", "word = 1 is 1\n", "word = '\\d'\n", "\0", "# coding: nowhere\n"])
def test_what_a_node_would_be_told_of_its_script_is_left_to_the_node(tmp_path: Path, text: str) -> None:
    script = tmp_path / "node.py"
    script.write_text(text)
    assert SharedCode().compile(asked(script)) == {str(script): None}


def test_scripts_of_one_node_missing_ones_and_modules_are_left_to_the_nodes(tmp_path: Path) -> None:
    script = tmp_path / "node.py"
    script.write_text("")
    shared = SharedCode()
    assert shared.compile(asked(script, 1)) == {}
    assert shared.compile(asked(tmp_path / "missing.py")) == {str(tmp_path / "missing.py"): None}
    assert shared.compile(asked("-m")) == {}
