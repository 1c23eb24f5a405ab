"""The choice between the compiled core and its twin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.compiled import CORE_VERSION, SWITCH, choose

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """A module that stands in for the core, with the text that the test gives it."""
    (tmp_path / "stand_in_core.py").write_text(request.param)
    monkeypatch.syspath_prepend(tmp_path)
    yield "stand_in_core"
    sys.modules.pop("stand_in_core", None)


@pytest.mark.parametrize("module", [f"VERSION = {CORE_VERSION}"], indirect=True)
def test_a_core_of_this_runtime_is_used_unless_it_is_switched_off(module: str) -> None:
    assert [choose(wanted, module) for wanted in ("auto", "on", "off")] == [True, True, False]


@pytest.mark.parametrize("module", [f"VERSION = {CORE_VERSION + 1}"], indirect=True)
def test_a_core_of_another_runtime_is_left_alone_or_refused(module: str) -> None:
    assert not choose("auto", module)
    with pytest.raises(RuntimeError) as error:
        choose("on", module)
    assert str(error.value) == (
        f"DORAFLOW_CORE is `on`, but the compiled core is of version {CORE_VERSION + 1} and this runtime needs "
        f"{CORE_VERSION}: install both together"
    )


def test_a_missing_core_is_done_without_or_refused() -> None:
    assert not choose("auto", "no_such_core")
    with pytest.raises(RuntimeError) as error:
        choose("on", "no_such_core")
    assert str(error.value) == (
        "DORAFLOW_CORE is `on`, but the compiled core cannot be imported: No module named 'no_such_core'"
    )


def test_another_value_of_the_switch_is_refused() -> None:
    with pytest.raises(RuntimeError, match=re.escape("DORAFLOW_CORE is `yes`; write one of auto, on, off")):
        choose("yes")


def test_both_halves_name_the_same_version() -> None:
    header = (ROOT / "core/common.h").read_text()
    assert re.findall(r"#define DORAFLOW_CORE_VERSION (\d+)", header) == [str(CORE_VERSION)]


def test_a_compiler_that_fails_does_not_fail_the_installation(tmp_path: Path) -> None:
    """Only the extension is built: what is tested is that its failure is a warning."""
    command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", str(tmp_path), "--build-temp"]
    command.append(str(tmp_path / "temporary"))
    environment = {**os.environ, "CC": "false", "CXX": "false"}
    environment.pop(SWITCH, None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 'building extension "doraflow_core" failed' in done.stderr
    assert not list(tmp_path.glob("*.so"))
