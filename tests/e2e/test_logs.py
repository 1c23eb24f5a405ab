"""What nodes write: into one file each and onto the console, whatever it is."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from typing import Any

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


def test_every_line_becomes_a_record_in_a_private_file(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("talker", "import sys\nprint('to out')\nprint('to err', file=sys.stderr)\n")
    launch = world.launch(bundle)
    assert launch.wait() == 0
    first, second = sorted(launch.log("talker"), key=lambda record: record["message"], reverse=True)
    assert TIMESTAMP.fullmatch(first.pop("timestamp"))
    assert first == {
        "level": "stdout",
        "node": "talker",
        "message": "to out",
        "target": None,
        "fields": {"stream": "stdout"},
        "trace_id": None,
    }
    assert (second["message"], second["fields"]) == ("to err", {"stream": "stderr"})
    assert stat.S_IMODE((launch.logs / "talker.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE(launch.logs.stat().st_mode) == 0o700


def test_structured_lines_keep_level_target_and_fields(world: Any) -> None:
    bundle = world.bundle()
    line = {"doraflow_log": 1, "level": "warn", "message": "dark", "target": "lens", "fields": {"lux": "3"}}
    bundle.node("camera", f"print({json.dumps(line)!r})\n")
    launch = world.launch(bundle)
    assert launch.wait() == 0
    (record,) = launch.log("camera")
    assert (record["level"], record["message"], record["target"], record["fields"]) == (
        "warn",
        "dark",
        "lens",
        {"lux": "3"},
    )
    assert launch.out == "camera | warn: dark\n"


def test_long_and_binary_lines_are_split_and_escaped(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "noisy",
        r"""
        import sys
        sys.stdout.buffer.write(b"x" * 150_000 + b"\n" + b"\xff\x00\x1b]0;title\x07 \xc3\xa9\n" + b"no end")
        """,
    )
    launch = world.launch(bundle)
    assert launch.wait() == 0
    records = launch.log("noisy")
    assert [len(record["message"]) for record in records[:3]] == [65536, 65536, 18928]
    assert [record["fields"].get("goes_on", False) for record in records[:3]] == [True, True, False]
    assert [record["message"] for record in records[3:]] == ["\\xff\x00\x1b]0;title\x07 é", "no end"]
    assert launch.out.splitlines()[3:] == ["noisy | \\xff\\x00\\x1b]0;title\\x07 é", "noisy | no end"]


def test_names_are_aligned(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1')\n")
    bundle.node("longer", "print('2')\n")
    launch = world.launch(bundle)
    assert launch.wait() == 0
    assert sorted(launch.out.splitlines()) == ["a      | 1", "longer | 2"]


def test_as_json_every_line_on_stdout_is_an_object(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1')\n")
    launch = world.launch(bundle, "--output", "json")
    assert launch.wait() == 0
    assert [event["event"] for event in launch.events("event")] == ["launching", "started", "node_ended", "ended"]
    (record,) = launch.events("log")
    assert (record["node"], record["message"]) == ("a", "1")
    assert launch.err == ""


def test_a_log_file_that_cannot_be_written_is_told_once_and_the_run_goes_on(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1', flush=True); print('2')\n")
    bundle.node("b", "print('3')\n")
    blocked = world.folder / "blocked"
    (blocked / "a.jsonl").mkdir(parents=True)
    launch = world.launch(bundle, "--log-dir", str(blocked))
    assert launch.wait() == 0
    assert launch.err.count("cannot be written: is a directory; the run goes on without a full log") == 1
    assert sorted(launch.out.splitlines()) == ["a | 1", "a | 2", "b | 3"]
    assert "3" in (blocked / "b.jsonl").read_text()


def test_a_log_folder_that_cannot_be_made_is_told_before_anything_starts(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1')\n")
    (world.folder / "file").write_text("")
    folder = world.folder / "file" / "logs"
    launch = world.launch(bundle, "--log-dir", str(folder))
    assert launch.wait() == 1
    assert launch.out == ""
    assert launch.err == (
        f"error[DF806]: the log folder `{folder}` cannot be used: not a directory\n"
        "hint: name another one with `--log-dir DIR`\n"
    )


def test_without_a_log_folder_the_state_folder_of_the_user_is_used(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("a", "print('1')\n")
    bundle.write()
    launch = world.start(bundle, "--no-verify", DEFAULT_LOGS="yes")
    assert launch.wait() == 0
    (file,) = (world.folder / "state" / "doraflow" / "flow").glob("*/a.jsonl")
    assert re.fullmatch(r"\d{8}T\d{6}Z-\d+", file.parent.name)


def test_a_reader_that_does_not_read_stops_neither_nodes_nor_launcher(world: Any, eventually: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "flood",
        "for number in range(200_000): print('x' * 100)\nopen('done', 'w').close()\nimport time; time.sleep(100)\n",
    )
    bundle.write()
    reader, writer = os.pipe()
    command = [sys.executable, str(bundle.path / "launch_local.py"), "--no-verify"]
    process = subprocess.Popen(command, env=world.environment, stdout=writer, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        eventually((bundle.path / "nodes" / "done").exists, "the node hangs")
        process.send_signal(signal.SIGTERM)
        eventually(lambda: not world.runs(), "the launcher hangs")
        with os.fdopen(reader, "rb") as pipe:
            shown = pipe.read().splitlines()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert re.fullmatch(rb"\(\d+ lines are not shown, since nobody read them; the log files hold them\)", shown[-1])


def test_a_reader_that_has_gone_ends_the_run(world: Any) -> None:

    bundle = world.bundle()
    bundle.node("talker", "import time\nwhile True:\n    print('x', flush=True)\n    time.sleep(0.05)\n")
    bundle.write()
    reader, writer = os.pipe()
    command = [sys.executable, str(bundle.path / "launch_local.py"), "--no-verify"]
    process = subprocess.Popen(command, env=world.environment, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"stopping: nobody reads the output any more" in errors
