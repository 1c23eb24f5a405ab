"""Which run a command means, and what is said when it means none or several."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control.places import RunFacts, write_facts
from doraflow_runtime.launcher import run_directory

from doraflow.diagnostics import Sink
from doraflow.operate.choosing import choose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DORAFLOW_RUN_BASE", str(tmp_path / "base"))
    return tmp_path / "base"


@pytest.fixture
def runs(base: Path) -> Iterator[None]:
    made = [run_directory.create(base, *pair) for pair in (("vision", "1"), ("vision", "2"), ("arm", "3"))]
    for run, flow in zip(made, ("vision", "vision", "arm"), strict=True):
        write_facts(run.path, RunFacts(run.path.name, flow, "local", os.getpid(), "2026", "/logs", "/bundle", 2))
    yield
    for run in made:
        run.remove()


def said(name: str) -> tuple[str, str | None, str]:
    sink = Sink()
    assert choose(name, sink) is None
    (found,) = sink.found
    return found.code, found.help, found.message


@pytest.mark.parametrize(("name", "run"), [("vision-1", "vision-1"), ("arm", "arm-3"), ("arm-3", "arm-3")])
@pytest.mark.usefixtures("runs")
def test_a_name_that_fits_one_run_means_it(name: str, run: str) -> None:
    sink = Sink()
    chosen = choose(name, sink)
    assert chosen is not None
    assert chosen.name == run
    assert not sink.found


@pytest.mark.usefixtures("runs")
def test_a_name_that_fits_several_runs_lists_them() -> None:
    assert said("vision") == (
        "DF841",
        "name one of them, such as `vision-2`",
        "`vision` fits 2 runs: `vision-1`, `vision-2`",
    )


@pytest.mark.usefixtures("runs")
def test_without_a_name_several_runs_are_listed() -> None:
    message = "without a name, a command fits 3 runs: `arm-3`, `vision-1`, `vision-2`"
    assert said("") == ("DF841", "name one of them, such as `vision-2`", message)


@pytest.mark.usefixtures("runs")
def test_an_unknown_name_is_told_with_the_closest() -> None:
    message = "no run is named `visoin`; what runs: `arm-3`, `vision-1`, `vision-2`"
    assert said("visoin") == ("DF840", "to name the closest, write `vision`", message)


@pytest.mark.parametrize(("name", "message"), [("x", "no run is named `x`: nothing runs"), ("", "nothing runs")])
@pytest.mark.usefixtures("base")
def test_that_nothing_runs_is_told(name: str, message: str) -> None:
    assert said(name) == ("DF840", "start a dataflow with `doraflow start FILE --detach`", message)
