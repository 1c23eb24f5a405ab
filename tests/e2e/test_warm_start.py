"""The warm process: what it forks, what it leaves to others, and what becomes of a run when it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from typing import Any

import pytest

TICKING = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            print(event.type)
"""
TIMER = {"tick": "dora/timer/millis/20"}
WHO = "import sys; print('forked' if 'doraflow_runtime.warm.script' in sys.modules else 'executed')\n"

# What a Python imports at its start, in the warm process alone.
AT_START = """
    import os, sys
    if sys.orig_argv[1].endswith("/warm/first.py"):
        {code}
"""


def ticking(world: Any, count: int = 3) -> Any:
    bundle = world.bundle()
    for index in range(count):
        bundle.node(f"n{index}", TICKING, inputs=TIMER)
    return bundle


def with_start_up(bundle: Any, code: str) -> str:
    """Make a folder for PYTHONPATH from which the warm process runs `code` when it starts."""
    place = bundle.source("start/sitecustomize.py", AT_START.format(code=code))
    return str(place.parent)


@pytest.mark.parametrize(
    ("process", "expected"),
    [
        ({}, "forked"),
        ({"env": {"CAMERA": "1"}}, "forked"),
        ({"env": {"PYTHONUNBUFFERED": "1"}}, "forked"),
        ({"spawn": "exec"}, "executed"),
        ({"env": {"PYTHONOPTIMIZE": "1"}}, "executed"),
        ({"env": {"PYTHONHASHSEED": "7"}}, "executed"),
        ({"env": {"OMP_NUM_THREADS": "1"}}, "executed"),
        ({"env": {"LD_LIBRARY_PATH": "/opt/lib"}}, "executed"),
        ({"cpu_affinity": (0,)}, "executed"),
        ({"working_directory": "elsewhere"}, "forked"),
        ({"operators": ("op",)}, "forked"),
    ],
)
def test_a_node_is_forked_where_that_makes_no_difference(world: Any, process: Any, expected: str) -> None:
    bundle = world.bundle()
    bundle.source("elsewhere/file", "")
    bundle.source("op.py", f"{WHO}class Operator:\n    def on_event(self, event, send): return 1\n")
    for index in range(2):
        bundle.node(f"other{index}", WHO)
    bundle.node("node", WHO, **process, **({"inputs": {"op/tick": TIMER["tick"]}} if "operators" in process else {}))
    launch = world.launch(bundle)
    assert launch.wait() == 0
    assert f"node   | {expected}\n" in launch.out


@pytest.mark.parametrize("path", [None, "", "/nowhere", "relative"])
@pytest.mark.parametrize("is_early", [True, False])
def test_nodes_are_forked_whether_the_launch_script_begins_the_warm_process_or_the_launcher(
    world: Any, is_early: bool, path: str | None
) -> None:
    bundle = world.bundle()
    bundle.is_early = is_early
    for index in range(2):
        bundle.node(f"n{index}", f"{WHO}import os, sys; print(os.getcwd(), os.environ['PYTHONPATH'], *sys.path)\n")
    bundle.node(
        "alone", f"{WHO}import os, sys; print(os.getcwd(), os.environ['PYTHONPATH'], *sys.path)\n", spawn="exec"
    )
    own = world.environment["PYTHONPATH"]
    launch = world.launch(bundle, PYTHONPATH=own if path is None else f"{path}:{own}")
    assert launch.wait() == 0
    lines = sorted(line.partition("| ")[2] for line in launch.out.splitlines())
    places, ways = lines[:3], lines[3:]
    assert ways == ["executed", "forked", "forked"]
    assert len(set(places)) == 1


def test_nothing_of_a_bundle_that_is_refused_is_imported_or_left(world: Any) -> None:
    bundle = ticking(world)
    bundle.write()
    (bundle.path / "MANIFEST.json").write_text('{"doraflow": "0", "files": {}}')
    for name in ("pyarrow.py", "numpy.py"):
        (bundle.path / name).write_text("open(__file__ + '.was_run', 'w').close()\n")
    launch = world.start(bundle)
    assert launch.wait() == 1
    assert world.processes() == {}
    assert "`pyarrow.py` does not belong to the bundle" in launch.err
    assert not list(bundle.path.glob("*.was_run"))


@pytest.mark.parametrize("arguments", [("--help",), ("--keep-logs", "0"), ("--check-health",), ("--name", "/")])
def test_a_command_line_that_launches_nothing_leaves_nothing(world: Any, arguments: tuple[str, ...]) -> None:
    bundle = ticking(world)
    bundle.write()
    assert world.start(bundle, *arguments).wait() == {"--help": 0, "--check-health": 1}.get(arguments[0], 2)
    assert world.processes() == {}


def test_a_module_of_the_bundle_is_never_taken_for_another_of_its_name(world: Any) -> None:
    bundle = world.bundle()
    for index in range(2):
        bundle.node(f"n{index}", f"{WHO}import numpy; print(numpy.__file__)\n")
    bundle.write()
    (bundle.path / "numpy.py").write_text("")
    launch = world.start(bundle, "--no-verify")
    assert launch.wait() == 0
    reason = "the bundle brings `numpy`, and Python has imported another one at its start"
    assert f"no node is forked from a warm process: {reason}" in launch.err
    assert launch.out.count("| executed\n") == 2
    assert launch.out.count(f"| {bundle.path}/numpy.py\n") == 2


def test_a_node_has_the_core_that_its_own_environment_asks_for(world: Any) -> None:
    bundle = world.bundle()
    code = f"{WHO}from doraflow_runtime.compiled import is_compiled; print('core', is_compiled())\n"
    asked = [sys.executable, "-c", "from doraflow_runtime.compiled import is_compiled; print(is_compiled())"]
    environment = {**world.environment, "DORAFLOW_CORE": "auto"}
    has_core = subprocess.run(
        asked, env=environment, cwd="/", capture_output=True, text=True, check=True
    ).stdout.strip()
    for index in range(2):
        bundle.node(f"any{index}", code)
    bundle.node("pure", code, env={"DORAFLOW_CORE": "off"})
    bundle.node("same", code, env={"DORAFLOW_CORE": "auto"})
    launch = world.launch(bundle, DORAFLOW_CORE="auto")
    assert launch.wait() == 0
    lines = launch.out.splitlines()
    assert [line for line in lines if line.startswith("pure")] == ["pure | executed", "pure | core False"]
    others = [[line[7:] for line in lines if line.startswith(name)] for name in ("any0", "any1", "same")]
    assert others == [["forked", f"core {has_core}"]] * 3


def test_nodes_are_measured_by_a_tool_that_every_interpreter_starts(world: Any) -> None:
    """As coverage.py does it: a hook at the start of Python looks at its variable, traces, and writes at the end."""
    bundle = world.bundle()
    seen = bundle.source("seen/file", "").parent
    hook = f"""
        import atexit, os, sys
        if os.environ.get("COVERAGE_PROCESS_START"):
            lines = set()
            def trace(frame, kind, argument):
                if frame.f_code.co_filename.endswith(("n0.py", "n1.py")):
                    if kind == "line":
                        lines.add((os.path.basename(frame.f_code.co_filename), frame.f_lineno))
                    return trace
            sys.settrace(trace)
            def write():
                with open({str(seen)!r} + f"/{{os.getpid()}}", "w") as file:
                    print(*sorted(f"{{name}}:{{line}}" for name, line in lines), file=file)
            atexit.register(write)
    """
    place = bundle.source("hook/sitecustomize.py", hook).parent
    for index in range(2):
        bundle.node(f"n{index}", "def work():\n    return 1\nwork()\n")
    path = f"{place}:{world.environment['PYTHONPATH']}"
    launch = world.launch(bundle, PYTHONPATH=path, COVERAGE_PROCESS_START="settings")
    assert launch.wait() == 0
    written = {text for file in seen.iterdir() if (text := file.read_text().strip())}
    assert written == {f"n{index}.py:1 n{index}.py:2 n{index}.py:3" for index in range(2)}


@pytest.mark.parametrize("variable", ["COVERAGE_PROCESS_START", "PYTHONPROFILEIMPORTTIME"])
def test_nothing_is_forked_while_interpreters_are_being_watched(world: Any, variable: str) -> None:
    bundle = world.bundle()
    for index in range(2):
        bundle.node(f"n{index}", WHO)
    launch = world.launch(bundle, **{variable: "1"})
    assert launch.wait() == 0
    assert launch.out.count("| executed\n") == 2


def test_one_python_node_is_not_worth_a_warm_process(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("node", WHO)
    launch = world.launch(bundle)
    assert launch.wait() == 0
    assert launch.out == "node | executed\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os.kill(os.getpid(), 9)", "it ended before it was ready"),
        ("raise SystemExit('no licence')", "SystemExit: no licence"),
        ("import sys, threading; sys.modules['pyarrow'] = None", "ModuleNotFoundError: import of pyarrow halted;"),
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
            "something that Python imports at its start runs 1 threads",
        ),
        ("import sys; sys.settrace(lambda *_: None)", "this Python is being traced"),
    ],
)
def test_a_warm_process_that_cannot_be_used_is_told_and_nodes_are_executed(world: Any, code: str, reason: str) -> None:
    bundle = ticking(world)
    bundle.node("who", WHO)
    launch = world.launch(bundle, PYTHONPATH=with_start_up(bundle, code) + ":" + world.environment["PYTHONPATH"])
    launch.wait_for("n2  | INPUT")
    assert f"doraflow: no node is forked from a warm process: {reason}" in launch.err
    launch.wait_for("who | executed\n")
    launch.signal(signal.SIGINT)
    assert launch.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_launcher_is_stopped_and_killed_while_it_waits_for_the_warm_process(
    world: Any, eventually: Any, number: signal.Signals
) -> None:
    bundle = ticking(world)
    code = "print(end=''); import time; time.sleep(60)"
    launch = world.launch(bundle, PYTHONPATH=with_start_up(bundle, code) + ":" + world.environment["PYTHONPATH"])
    launch.wait_for("doraflow: run flow-")
    eventually(lambda: len(world.processes()) >= 3, "there is no warm process")
    launch.signal(number)
    assert launch.wait() == (0 if number is signal.SIGINT else -number)
    eventually(lambda: not world.processes(), "a process is left")
    assert world.runs() == []


def test_the_warm_process_has_gone_when_every_node_has_come(world: Any, eventually: Any) -> None:
    launch = world.launch(ticking(world))
    launch.wait_for("n2 | INPUT")
    guardian = world.guardian_of(launch)
    eventually(lambda: len(world.processes()) == 5, "the warm process is left")
    commands = [text for number, text in world.processes().items() if number not in (launch.process.pid, guardian)]
    # Each node shows the command line that it would have had.
    assert sorted(command.strip() for command in commands) == [
        f"{sys.executable} {world.folder}/bundle/nodes/n{index}.py" for index in range(3)
    ]
    launch.signal(signal.SIGINT)
    assert launch.wait() == 0


def test_nothing_is_left_of_forked_nodes_when_the_launcher_is_killed(world: Any, eventually: Any) -> None:
    launch = world.launch(ticking(world))
    launch.wait_for("n2 | INPUT")
    launch.signal(signal.SIGKILL)
    launch.wait()
    eventually(lambda: not world.processes(), "a process is left")
    assert world.runs() == []


def test_forked_nodes_die_with_a_launcher_that_has_lost_its_guardian(world: Any, eventually: Any) -> None:
    bundle = ticking(world)
    launch = world.launch(bundle)
    launch.wait_for("n2 | INPUT")
    os.kill(world.guardian_of(launch), signal.SIGKILL)
    launch.wait_for("the guardian of this run was killed")
    launch.signal(signal.SIGKILL)
    launch.wait()
    eventually(lambda: not world.processes(), "a process is left")
    again = world.launch(bundle)  # sweeps the directory that nobody could remove
    again.wait_for("n2 | INPUT")
    again.signal(signal.SIGINT)
    assert again.wait() == 0


def test_a_forked_node_that_is_killed_is_told_as_any_other(world: Any, eventually: Any) -> None:
    bundle = ticking(world)
    bundle.node("victim", "import os, time; print('pid', os.getpid()); time.sleep(100)\n")
    launch = world.launch(bundle)
    launch.wait_for("victim | pid")
    os.kill(int(launch.out.split("victim | pid ")[1].split()[0]), signal.SIGKILL)
    launch.wait_for("`victim` was killed by SIGKILL; the other nodes go on")
    launch.signal(signal.SIGINT)
    assert launch.wait() == 1


def test_what_a_forked_node_has_started_ends_with_it(world: Any) -> None:
    bundle = ticking(world, 2)
    bundle.node("parent", "import subprocess; subprocess.Popen(['sleep', '1000']); print('started')\n")
    launch = world.launch(bundle, "--grace", "0.5")
    launch.wait_for("parent | started")
    launch.signal(signal.SIGINT)
    assert launch.wait() == 0  # and nothing is left, as the end of every test asserts


def test_forked_nodes_have_random_numbers_of_their_own(world: Any) -> None:
    bundle = world.bundle()
    code = "import random, numpy, uuid; print(random.random()); print(numpy.random.rand()); print(uuid.uuid4())\n"
    for index in range(3):
        bundle.node(f"n{index}", code)
    launch = world.launch(bundle)
    assert launch.wait() == 0
    numbers = [line.partition("| ")[2] for line in launch.out.splitlines()]
    assert len(set(numbers)) == 9


def test_a_folder_that_vanishes_is_the_node_s_fault_alone(world: Any) -> None:
    bundle = ticking(world, 2)
    bundle.source("here/file", "")
    bundle.node("lost", TICKING, inputs=TIMER, working_directory="here")
    # The first fork of the warm process is a trial, the second one follows the launcher's requests.
    code = f"""
        forks = []
        def lose():
            forks.append(1)
            if len(forks) == 2:
                os.rename({str(bundle.path / "nodes/here")!r}, {str(bundle.path / "nodes/there")!r})
        os.register_at_fork(before=lose)
    """
    place = with_start_up(bundle, textwrap.indent(textwrap.dedent(code), "        ").strip())
    launch = world.launch(bundle, PYTHONPATH=place + ":" + world.environment["PYTHONPATH"])
    assert launch.wait() == 1
    assert "error[DF801]: `lost` cannot be executed: " in launch.err


def test_a_hundred_nodes_start_and_end(world: Any) -> None:
    bundle = world.bundle()
    source = """
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            for number in range(3):
                node.send_output("out", bytes([number]))
    """
    bundle.node("source", source, outputs=("out",))
    reader = """
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            print([event.value.to_pylist() for event in node if event.type == "INPUT"])
    """
    bundle.source("reader.py", reader)
    for index in range(99):
        bundle.node(f"r{index}", path="reader.py", inputs={"in": "source/out"})
    launch = world.launch(bundle)
    assert launch.wait(60) == 0, launch.err
    assert launch.out.count("| [[0], [1], [2]]\n") == 99
