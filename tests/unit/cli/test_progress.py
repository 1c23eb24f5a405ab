"""Progress of a build: plain lines, JSON lines that fit their schema, bars on a terminal, and silence."""

from __future__ import annotations

import inspect
import io
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from doraflow.cli import bars
from doraflow.cli.bars import BarTeller
from doraflow.cli.main import app
from doraflow.cli.progress import JsonTeller, News, PlainTeller, Progress
from doraflow.diagnostics import Span
from doraflow.ir import BuildStep
from tests import commands
from tests.terminal import terminal

if TYPE_CHECKING:
    import subprocess

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "schema/progress.schema.json").read_text())
STEP = BuildStep("camera", ("make",), Span("f.yml", 1, 1, 1, 2))
FLOW = (
    "name: demo\nnodes:\n  - {id: a, path: a.py, outputs: [x], build: python -c \"print('made it')\"}\n"
    "  - {id: b, path: b.py, inputs: {x: a/x}}\n"
)
SENDER = (
    "import pyarrow as pa\nfrom demo_stubs.a import A\n\nwith A() as node:\n    node.outputs.x.send(pa.array([1]))\n"
)
READER = "from demo_stubs.b import B\n\nwith B() as node:\n    for event in node:\n        pass\n    print('read')\n"
WAITER = "import time\nfrom demo_stubs.b import B\n\nwith B() as node:\n    print('waiting', flush=True)\n"
STUBBORN = f"{WAITER}    import signal\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(60)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "a.py").write_text(SENDER)
    (tmp_path / "b.py").write_text(READER)
    return tmp_path


def doraflow(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / ".cache"), "XDG_STATE_HOME": str(cwd / ".state")}
    return commands.doraflow(*arguments, cwd=cwd, env={**environment, "NO_COLOR": "1"})


def without_times(lines: str) -> list[str]:
    return [line.rpartition(" (")[0] if line.endswith(" s)") else line for line in lines.splitlines()]


def test_plain_progress_has_a_line_for_each_step_as_it_begins_and_ends() -> None:
    stream = io.StringIO()
    progress = Progress(PlainTeller(stream, tells_stages=True))
    with progress.stage("loading", "f.yml") as loading:
        loading.detail = ": 3 nodes"
    with progress.steps():
        progress.notice(STEP, "started")
        progress.notice(STEP, "failed")
    with pytest.raises(KeyError), progress.stage("generating", "bundle"):
        raise KeyError
    assert without_times(stream.getvalue()) == [
        "   loaded f.yml: 3 nodes",
        " building camera",
        "   failed camera",
        "   failed bundle",
    ]


@pytest.mark.parametrize("state", ["started", "done", "failed", "unchanged"])
@pytest.mark.parametrize("stage", ["loading", "building", "generating", "starting", "copying", "switching"])
def test_json_progress_fits_its_schema(stage: str, state: str) -> None:
    stream = io.StringIO()
    JsonTeller(stream).tell(News(stage, state, "a\nb", ": 3 nodes", None if state == "started" else 1.23456))
    jsonschema.validate(json.loads(stream.getvalue()), SCHEMA)
    assert stream.getvalue().count("\n") == 1


def test_a_build_tells_its_stages_as_json_on_stderr(project: Path) -> None:
    done = doraflow("build", "flow.yml", "--progress", "json", cwd=project)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    assert [(line["stage"], line["state"], line["subject"]) for line in lines] == [
        ("loading", "started", "flow.yml"),
        ("loading", "done", "flow.yml"),
        ("building", "started", "a"),
        ("building", "done", "a"),
        ("generating", "started", "demo_bundle"),
        ("generating", "done", "demo_bundle"),
    ]


def test_a_quiet_build_says_nothing_and_a_verbose_one_what_the_commands_print(project: Path) -> None:
    assert doraflow("build", "flow.yml", "--quiet", cwd=project).stderr == ""
    told = without_times(doraflow("build", "flow.yml", "--verbose", "--rebuild", cwd=project).stderr)
    assert told[:3] == ["   loaded flow.yml: 2 nodes", " building a", "    built a"]
    assert told[3:5] == ["a | $ python -c \"print('made it')\"", "a | made it"]
    assert told[5].startswith("generated demo_bundle: 0 files written, ")


def test_a_quiet_check_tells_errors_and_no_warnings(project: Path) -> None:
    (project / "flow.yml").write_text(FLOW.replace("path: b.py, ", "path: b.py, outputs: [unread], "))
    assert "DF207" in doraflow("check", "flow.yml", cwd=project).stderr
    done = doraflow("check", "flow.yml", "-q", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    (project / "flow.yml").write_text(FLOW.replace("a/x", "a/y"))
    done = doraflow("check", "flow.yml", "-q", cwd=project)
    assert done.returncode == 1
    assert done.stderr.startswith("error[DF204]")


def test_a_verbose_check_tells_how_long_it_took(project: Path) -> None:
    told = doraflow("check", "flow.yml", "--verbose", cwd=project).stderr
    assert without_times(told) == ["   loaded flow.yml", "flow.yml: 2 nodes, no findings"]


def test_a_quiet_run_says_only_what_the_nodes_say(project: Path) -> None:
    done = doraflow("run", "flow.yml", "--quiet", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "b | read\n", "")


def test_every_command_can_be_quiet_or_verbose() -> None:
    groups = [app, *(group.typer_instance for group in app.registered_groups if group.typer_instance)]
    for command in (command for group in groups for command in group.registered_commands):
        assert command.callback is not None
        assert {"quiet", "verbose"} <= set(inspect.signature(command.callback).parameters), command.name


def test_a_run_can_be_read_by_a_script_line_by_line(project: Path) -> None:
    done = doraflow("run", "flow.yml", "--format", "json", "--progress", "json", cwd=project)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"log", "event"} == {line["type"] for line in lines}
    assert [line["message"] for line in lines if line["type"] == "log"] == ["read"]
    assert "started" in [line.get("event") for line in lines]


def test_bars_are_shown_while_steps_run_and_leave_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    stream = io.StringIO()
    monkeypatch.setattr(bars, "_console", lambda at: Console(file=at, force_terminal=True, width=80))
    progress = Progress(BarTeller(stream))
    with progress.steps():
        progress.notice(STEP, "started")
        progress.notice(STEP, "done")
    shown = stream.getvalue()
    assert "building" in shown
    assert "0:00:00" in shown
    assert "    built" in shown.replace("\x1b[32m", "").replace("\x1b[0m", "")


def test_a_terminal_shows_every_stage_with_its_time_and_in_colour(project: Path) -> None:
    with terminal("run", "flow.yml", cwd=project) as shown:
        assert shown.wait() == 0, shown.shown
    for text in (
        "   loaded flow.yml: 2 nodes (",
        "    built a (",
        "generated the bundle (",
        "  started 2 nodes, links est",
    ):
        assert text in shown.shown
    assert "b | read" in shown.shown


def test_without_colours_a_terminal_shows_plain_lines(project: Path) -> None:
    with terminal("build", "flow.yml", cwd=project, NO_COLOR="1") as shown:
        assert shown.wait() == 0, shown.shown
    assert b"\x1b" not in shown.raw
    assert " building a\n    built a (" in shown.shown


def test_a_failed_build_shows_node_command_lines_mend_and_log(project: Path) -> None:
    (project / "flow.yml").write_text(FLOW.replace("print('made it')", "import cv2_is_not_here"))
    with terminal("build", "flow.yml", cwd=project) as shown:
        assert shown.wait() == 1
    text = " ".join(shown.shown.split())
    assert "failed a (" in text
    assert "of `a` failed with exit code 1" in text
    assert "ModuleNotFoundError: No module named 'cv2_is_not_here'" in text
    assert "install what provides `cv2_is_not_here` with `pip install cv2_is_not_here`" in text
    assert "logs/a.log`" in text


def test_one_ctrl_c_stops_cleanly(project: Path) -> None:
    (project / "b.py").write_text(
        f"{WAITER}    for event in node:\n        pass\n    time.sleep(0.1)\n    print('ended')\n"
    )
    (project / "a.py").write_text(SENDER + "    while node.node.next() is not None:\n        pass\n")
    with terminal("run", "flow.yml", cwd=project) as shown:
        shown.expect_all("b | waiting", "started 2 nodes")
        shown.type("\x03")
        code = shown.wait()
    assert code in (0, 130), shown.shown
    assert "b | ended" in shown.shown
    assert "Traceback" not in shown.shown


def test_a_second_ctrl_c_ends_everything_at_once(project: Path) -> None:
    (project / "b.py").write_text(STUBBORN)
    with terminal("run", "flow.yml", "--grace", "60", cwd=project) as shown:
        shown.expect_all("b | waiting", "started 2 nodes")
        shown.type("\x03")
        shown.expect("stopping")
        time.sleep(0.7)  # a press this late is another one, not the same signal over another way
        shown.type("\x03")
        code = shown.wait()
    assert code != 0, shown.shown
    assert "Traceback" not in shown.shown
