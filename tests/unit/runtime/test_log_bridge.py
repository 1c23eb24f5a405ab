"""What Python has to tell, seen from the launcher's side: each test runs a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

BEGIN = """
import logging, os, sys, threading, warnings
from doraflow_runtime.node_api import log_bridge, log_lines
log_bridge.bridge()
"""


def run(code: str, returncode: int = 0) -> tuple[list[Any], str]:
    """Run a program; its lines on standard output, those that are JSON read, and what it wrote to standard error."""
    done = subprocess.run([sys.executable, "-u", "-c", BEGIN + code], capture_output=True, text=True, check=False)
    assert done.returncode == returncode, done.stderr
    lines = done.stdout.split("\n")[:-1]
    return [json.loads(line) if line.startswith("{") else line for line in lines], done.stderr


def only(code: str, returncode: int = 0) -> Any:
    (line,), errors = run(code, returncode)
    assert errors == ""
    return line


def test_records_of_logging_are_log_lines() -> None:
    line = only("logging.getLogger('lens').warning('%s lux', 3, extra={'sensor': 'left', 'lux': 3, 'ok': True})")
    assert line.pop("timestamp").endswith("+00:00")
    fields = line.pop("fields")
    assert (fields.pop("file"), fields.pop("line")) == ("<string>", 5)
    assert fields == {"sensor": "left", "lux": 3, "ok": True}
    assert line == {"doraflow_log": 1, "level": "warn", "message": "3 lux", "target": "lens", "trace_id": None}


@pytest.mark.parametrize(
    ("call", "level", "name"),
    [
        ("critical('x')", "error", None),
        ("error('x')", "error", None),
        ("info('x')", "info", None),
        ("log(25, 'x')", "info", "Level 25"),
    ],
)
def test_levels_are_kept(call: str, level: str, name: str | None) -> None:
    line = only(f"logging.{call}")
    assert (line["level"], line["fields"].get("level_name")) == (level, name)


def test_the_level_can_be_set_with_logging_s_own_means() -> None:
    assert run("logging.debug('x')")[0] == []
    assert only("logging.basicConfig(level=logging.DEBUG)\nlogging.debug('x')")["level"] == "debug"
    assert only("logging.basicConfig(level=logging.DEBUG)\nlogging.log(5, 'x')\nlogging.debug('y')")["message"] == "y"


@pytest.mark.parametrize(
    "code",
    [
        "logging.basicConfig(stream=sys.stderr)\nlogging.warning('x')",
        "logging.basicConfig(handlers=[logging.StreamHandler()], force=True)\nlogging.warning('x')",
    ],
)
def test_a_program_that_says_where_its_records_go_is_obeyed(code: str) -> None:
    lines, errors = run(code)
    assert lines == []
    assert errors.rstrip().endswith("x")


def test_a_program_that_has_set_up_logging_before_keeps_it() -> None:
    code = f"import logging\nlogging.basicConfig(format='mine %(message)s')\n{BEGIN}logging.warning('x')\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "mine x\n")


def test_bridging_twice_writes_once() -> None:
    assert only("log_bridge.bridge()\nlogging.info('x')")["message"] == "x"


def test_a_trace_is_kept() -> None:
    assert only("logging.info('x', extra={'trace_id': '4bf9'})")["trace_id"] == "4bf9"
    assert only("logging.info('x', extra={'otelTraceID': '4bf9'})")["trace_id"] == "4bf9"


def test_values_that_json_does_not_know_are_texts() -> None:
    code = (
        "class Odd:\n    def __str__(self): raise KeyError\n"
        "nested = []\nfor _ in range(100): nested = [nested]\n"
        "logging.info('x', extra={'a': {1}, 'b': float('nan'), 'c': Odd(), 'd': [1, {'e': 2}], 'f': nested})"
    )
    fields = only(code)["fields"]
    assert (fields["a"], fields["b"], fields["c"], fields["d"]) == (
        "{1}",
        "nan",
        "(cannot be shown: KeyError)",
        [1, {"e": 2}],
    )
    assert fields["f"] == "[" * 101 + "]" * 101


def test_a_warning_is_a_record() -> None:
    line = only("warnings.warn('old', DeprecationWarning, stacklevel=1)")
    assert (line["level"], line["target"]) == ("warn", "py.warnings")
    assert "DeprecationWarning: old" in line["message"]


def test_an_exception_that_was_logged_has_its_traceback() -> None:
    line = only("try: 1 / 0\nexcept ZeroDivisionError: logging.exception('no')")
    assert (line["level"], line["message"], line["fields"]["exception"]) == ("error", "no", "ZeroDivisionError")
    assert line["fields"]["traceback"].splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_an_exception_that_nobody_catches_is_a_record() -> None:
    line = only("class Dark(Exception): pass\nraise Dark('very')", returncode=1)
    assert (line["level"], line["message"], line["target"]) == ("error", "Dark: very", "python")
    assert (line["fields"]["exception"], line["fields"]["uncaught"]) == ("Dark", True)
    assert line["fields"]["traceback"].startswith("Traceback (most recent call last):\n")


def test_one_in_a_thread_too_and_it_names_the_thread() -> None:
    line = only("thread = threading.Thread(target=lambda: 1 / 0, name='eye')\nthread.start()\nthread.join()")
    assert (line["message"], line["fields"]["thread"]) == ("ZeroDivisionError: division by zero", "eye")


def test_a_hook_of_the_program_s_own_is_kept() -> None:
    code = "import sys\nsys.excepthook = lambda *_: print('mine')\n" + BEGIN + "raise KeyError\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "mine\n", "")


def test_ctrl_c_and_sys_exit_are_no_records() -> None:
    lines, errors = run("raise KeyboardInterrupt", returncode=-2)
    assert lines == []
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert run("sys.exit(3)", returncode=3) == ([], "")


def test_lines_of_many_threads_and_of_forked_children_are_whole() -> None:
    code = """
def talk(name):
    for number in range(200):
        logging.info("x" * 20_000, extra={"name_of": name, "number": number})
threads = [threading.Thread(target=talk, args=(str(at),)) for at in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for at in range(3):
    child = os.fork()
    if not child:
        logging.info("born")
        os._exit(0)
    os.waitpid(child, 0)
"""
    lines, _ = run(code)
    assert len(lines) == 803
    for name in "0123":
        own = [line["fields"]["number"] for line in lines if line["fields"].get("name_of") == name]
        assert own == list(range(200))


def test_a_child_that_is_born_while_a_thread_speaks_can_speak() -> None:
    code = """
stop = threading.Event()
def talk():
    while not stop.is_set(): log_lines.write("info", "parent")
thread = threading.Thread(target=talk)
thread.start()
for _ in range(50):
    child = os.fork()
    if not child:
        log_lines.write("info", "child")
        os._exit(0)
    os.waitpid(child, 0)
stop.set()
thread.join()
"""
    lines, _ = run(code)
    assert [line["message"] for line in lines].count("child") == 50


def test_a_line_is_never_longer_than_the_launcher_takes() -> None:
    code = (
        "odd = {'long': 'é' * 100_000, 'odd': '\\x01' * 9000, 'list': list(range(50_000)), 'short': 1}\n"
        "logging.info('m' * 200_000, extra=odd)\n"
        "logging.info('x', extra={str(at): 'y' * 100 for at in range(2000)})\n"
        "def deep(n): return deep(n - 1) if n else 1 / 0\n"
        "try: deep(900)\nexcept ZeroDivisionError: logging.exception('\\ud800' * 100_000)\n"
    )
    lines, errors = run(code)
    assert errors == ""
    assert all(len(json.dumps(line, ensure_ascii=False).encode(errors="replace")) < 64 * 1024 for line in lines)
    first, second, third = lines
    assert first["message"] == "m" * 6250
    assert (first["fields"]["short"], first["fields"]["cut"]) == (1, True)
    assert 50 < len(second["fields"]) < 2000
    assert third["fields"]["traceback"].rstrip().endswith("ZeroDivisionError: division by zero")


def test_standard_output_that_is_closed_or_replaced_is_no_harm() -> None:
    assert run("os.close(1)\nlogging.info('x')") == ([], "")
    code = (
        "import io\nsys.stdout = io.StringIO()\nprint('kept')\nlogging.info('x')\nsys.stdout = None\nlogging.info('y')"
    )
    lines, _ = run(code)
    assert [line["message"] for line in lines] == ["x", "y"]


def test_an_unknown_level_lists_the_known_ones() -> None:
    from doraflow_runtime.node_api import log_lines

    with pytest.raises(
        ValueError, match=r"^there is no log level `loud`: the levels are error, warn, info, debug, trace$"
    ):
        log_lines.write("loud", "x")
