"""Build steps: run when they must, in parallel, and told exactly when they fail."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from doraflow.build.steps import run_steps
from doraflow.diagnostics import Sink, Span
from doraflow.ir import BuildStep

if TYPE_CHECKING:
    from pathlib import Path

SPAN = Span("f.yml", 1, 1, 1, 2)
APPEND = "python -c \"import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('x')\""


def step(owner: str, *commands: str, **env: str) -> BuildStep:
    return BuildStep(owner, commands, SPAN, env=env)


def run(tmp_path: Path, *steps: BuildStep, jobs: int = 1, rebuild: bool = False) -> tuple[bool, Sink, list[str]]:
    (tmp_path / "project").mkdir(exist_ok=True)
    sink, events = Sink(), []
    well = run_steps(
        steps,
        tmp_path / "project",
        tmp_path / "state",
        jobs,
        sink,
        notice=lambda one, event: events.append(f"{one.owner} {event}"),
        rebuild=rebuild,
    )
    return well, sink, events


def test_a_step_runs_once_until_something_changes(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first = step("a", f"{APPEND} {mark}")
    assert run(tmp_path, first)[2] == ["a started", "a done"]
    assert run(tmp_path, first)[2] == ["a unchanged"]
    assert run(tmp_path, step("a", f"{APPEND} {mark}", LEVEL="2"))[2] == ["a started", "a done"]
    (tmp_path / "project" / "source.c").write_text("int x;")
    assert run(tmp_path, step("a", f"{APPEND} {mark}", LEVEL="2"))[2] == ["a started", "a done"]
    assert run(tmp_path, step("a", f"{APPEND} {mark}", LEVEL="2"))[2] == ["a unchanged"]
    assert run(tmp_path, step("a", f"{APPEND} {mark}", LEVEL="2"), rebuild=True)[2] == ["a started", "a done"]
    assert mark.read_text() == "xxxx"


def test_a_failed_step_is_run_again(tmp_path: Path) -> None:
    failing = step("a", 'python -c "raise SystemExit(3)"')
    assert run(tmp_path, failing)[0] is False
    assert run(tmp_path, failing)[2] == ["a started", "a failed"]


def test_a_failure_tells_command_code_folder_tail_and_log(tmp_path: Path) -> None:
    lines = "python -c \"import sys; [print('line', n) for n in range(30)]; sys.exit(7)\""
    well, sink, _ = run(tmp_path, step("camera", lines, "python never"))
    assert not well
    (finding,) = sink.found
    assert finding.code == "DF604"
    assert finding.message == f"the build command `{lines}` of `camera` failed with exit code 7"
    assert finding.notes == (f"it ran in `{tmp_path / 'project'}`", *(f"line {n}" for n in range(10, 30)))
    log = tmp_path / "state" / "logs" / "camera.log"
    assert finding.help == f"read the whole output in `{log}`"
    assert log.read_text().startswith(f"$ {lines}\nline 0\n")


def test_a_program_that_is_not_there_and_shell_syntax_are_told(tmp_path: Path) -> None:
    _, sink, _ = run(tmp_path, step("a", "no-such-program --x"), step("b", "no-such-program && python x"))
    assert [finding.code for finding in sink.found] == ["DF605", "DF605"]
    assert sink.found[0].message == (
        "the build command `no-such-program --x` of `a` cannot be started: there is no program `no-such-program`"
    )
    assert sink.found[1].help == ("no shell reads build commands, so `&&` means nothing: write one command a line")


def test_a_failed_command_is_told_with_what_mends_it(tmp_path: Path) -> None:
    _, sink, _ = run(tmp_path, step("a", "python -c 'print(1)'", "python -c 'import cv3'"), step("b", "cargoo build"))
    log = tmp_path / "state" / "logs" / "a.log"
    mend = "install what provides `cv3` with `pip install cv3`, before the command in `build` of `a`"
    assert sink.found[0].help == f"{mend}; the whole output is in `{log}`"
    assert sink.found[0].notes[1] == "$ python -c 'import cv3'"
    assert sink.found[1].help == "to use the closest program, write `cargo`"


def test_a_program_of_the_project_is_found_from_the_folder_of_the_command(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "make.sh").write_text("#!/bin/sh\ntouch made\n")
    _, sink, _ = run(tmp_path, step("a", "./make.sh"))
    assert sink.found[0].message == (
        "the build command `./make.sh` of `a` cannot be started: `./make.sh` may not be executed"
    )
    assert sink.found[0].help == f"run `chmod +x {project}/make.sh`"
    (project / "make.sh").chmod(0o755)
    assert run(tmp_path, step("a", "./make.sh"))[0]
    assert (project / "made").exists()


def test_a_file_that_no_program_reads_is_told_with_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    script = tmp_path / "project" / "make.sh"
    script.write_text("no program\n")
    script.chmod(0o755)
    _, sink, _ = run(tmp_path, step("a", "./make.sh"))
    assert sink.found[0].help == f"begin `{script}` with the program that reads it, such as `#!/usr/bin/env python3`"


def test_all_failures_are_told_and_other_steps_still_run(tmp_path: Path) -> None:
    fail = 'python -c "raise SystemExit(1)"'
    _, sink, events = run(tmp_path, step("a", fail), step("b", "python -c pass"), step("c", fail))
    assert [finding.message.split("`")[3] for finding in sink.found] == ["a", "c"]
    assert "b done" in events


def test_steps_run_at_the_same_time(tmp_path: Path) -> None:
    meet = (
        'python -c "import pathlib, sys, time; mine, other = map(pathlib.Path, sys.argv[1:]); mine.touch(); '
        "end = time.monotonic() + 20\nwhile not other.exists():\n    time.monotonic() < end or sys.exit(1)\n"
        '    time.sleep(0.01)"'
    )
    one, two = tmp_path / "one", tmp_path / "two"
    well, sink, _ = run(tmp_path, step("a", f"{meet} {one} {two}"), step("b", f"{meet} {two} {one}"), jobs=2)
    assert well, sink.found


def test_a_module_is_built_before_what_is_inside(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    write = "python -c \"import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write(sys.argv[2])\""
    run(tmp_path, step("m.inner", f"{write} {mark} inner"), step("m", f"{write} {mark} module,"), jobs=2)
    assert mark.read_text() == "module,inner"


def test_pip_and_python_are_those_of_this_interpreter(tmp_path: Path) -> None:
    run(tmp_path, step("a", 'python -c "import sys; print(sys.executable)"', "pip --version"))
    log = (tmp_path / "state" / "logs" / "a.log").read_text().splitlines()
    assert log[1] == sys.executable
    assert log[3].startswith("pip ")


def test_the_standard_streams_are_as_before_when_steps_have_overlapped(tmp_path: Path) -> None:
    """The first step to begin is the first to end: doit, which swaps the streams for each, mixes them up then."""
    before = sys.stdout, sys.stderr
    second_runs, first_ends = threading.Event(), threading.Event()
    (tmp_path / "project").mkdir()

    def notice(one: BuildStep, event: str) -> None:
        match one.owner, event:
            case "first", "started":
                assert second_runs.wait(30)
            case "second", "started":
                second_runs.set()
            case "first", _:
                first_ends.set()
            case "second", _:
                assert first_ends.wait(30)
                end = time.monotonic() + 30
                while sys.stderr is not before[1] and time.monotonic() < end:
                    time.sleep(0.01)

    steps = (step("first", "true"), step("second", "true"))
    assert run_steps(steps, tmp_path / "project", tmp_path / "state", 2, Sink(), notice=notice)
    assert (sys.stdout, sys.stderr) == before
