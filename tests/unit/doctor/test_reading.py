"""The facts of a machine: read whatever it is like, and never by an exception."""

from __future__ import annotations

import importlib
import os
import resource
import select
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doraflow.doctor import reading
from doraflow.doctor.needs import needed_tools
from doraflow.doctor.reading import read_facts
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    import pytest


def refuse(*_: object, **__: object) -> Any:
    raise PermissionError(1, "Operation not permitted")


def test_what_the_kernel_refuses_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "memfd_create", refuse)
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.setattr(select, "epoll", refuse)
    refused = read_facts().refused
    assert refused["memfd"] == refused["epoll"] == "operation not permitted"
    assert "pidfd_open" in refused["pidfd"]
    assert "eventfd" not in refused


def test_a_machine_without_its_files_is_unknown_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(os, "sysconf", refuse)
    facts = read_facts()
    assert (facts.memory, facts.memory_limit, facts.clock, facts.governor, facts.huge_pages) == (None,) * 5


def test_a_library_that_breaks_while_it_is_imported_is_told_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def breaking(name: str, package: str | None = None) -> Any:
        if name == "pyarrow":
            raise RuntimeError("built for another machine")
        return real(name, package)

    monkeypatch.setattr(reading.importlib, "import_module", breaking)
    facts = read_facts()
    assert facts.broken["pyarrow"] == "built for another machine"
    assert "pyarrow" not in facts.libraries


def test_the_run_folder_is_judged_by_owner_and_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "runs"
    monkeypatch.setenv("DORAFLOW_RUN_BASE", str(base))
    found = read_facts().run_base
    assert found is not None
    assert not found.is_there
    base.mkdir(mode=0o755)
    found = read_facts().run_base
    assert found is not None
    assert (found.is_there, found.is_private) == (True, False)
    base.chmod(0o700)
    (base / "vision-1").mkdir()
    found = read_facts().run_base
    assert found is not None
    assert found.is_private


def test_an_infinite_limit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert read_facts().open_files == (None, None)


def test_a_dataflow_needs_the_programs_of_its_build(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yml"
    flow.write_text(
        "nodes:\n"
        "  - {id: a, path: a.py, build: pip install idna, outputs: [x]}\n"
        "  - id: b\n    path: b.py\n    inputs: {x: a/x}\n"
        "    build: |\n      no-such-program --x\n      python gen.py\n"
        "  - {id: c, path: c.py, inputs: {x: a/x}, build: no-such-program}\n"
    )
    made = check(flow, Options(check_sources=False))
    assert [(tool.program, tool.owner, tool.is_there) for tool in needed_tools(made)] == [
        ("pip", "a", True),
        ("no-such-program", "b", False),
        ("python", "b", True),
    ]
