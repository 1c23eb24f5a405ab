"""requirements.txt: what build steps install with pip, as far as a host can have it."""

from __future__ import annotations

from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import Fabric, HostWiring

from doraflow.codegen.pip_commands import Wish, file_wishes, wishes
from doraflow.codegen.requirements import PYARROW, PYZMQ, ZENOH, requirement_files, requirements_file
from doraflow.diagnostics import Span
from doraflow.ir import BuildStep, Graph, HostPlan, Node, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

SPAN = Span("flow.yml", 1, 1, 1, 2)
HEAD = f"# What a host needs to run this bundle.\n{PYARROW}\n{PYZMQ}\n"


def step(*commands: str, owner: str = "a", folder: str = ".", **env: str) -> BuildStep:
    return BuildStep(owner, commands, SPAN, folder, env)


def plan(*steps: BuildStep, modules: tuple[BuildStep, ...] = ()) -> Plan:
    nodes = tuple(Node(step.owner, "python", SPAN, builds=(step,)) for step in steps)
    return Plan(Graph("flow", "flow.yml", nodes, (), builds=modules), (), ())


def written(
    *steps: BuildStep, modules: tuple[BuildStep, ...] = (), files: Mapping[str, bytes] = MappingProxyType({})
) -> str:
    """The lines after the head, which every file has."""
    text = requirements_file(plan(*steps, modules=modules), files).content.decode()
    assert text.startswith(HEAD)
    return text.removeprefix(HEAD)


def test_the_pin_is_the_version_that_the_tests_run_with() -> None:
    import pyarrow
    import zmq

    assert f"pyarrow=={pyarrow.__version__}" == PYARROW
    assert f"pyzmq=={zmq.__version__}" == PYZMQ


def test_the_pin_of_zenoh_is_the_version_that_the_tests_run_with() -> None:
    pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")
    assert f"eclipse-zenoh=={version('eclipse-zenoh')}" == ZENOH


def test_zenoh_is_named_where_links_go_over_it() -> None:
    wirings = [HostWiring(1, "flow", host, (), (), fabric=Fabric()) for host in ("a", "b")]
    hosts = tuple(HostPlan(wiring.host, (), wiring) for wiring in wirings)
    made = requirements_file(Plan(Graph("flow", "flow.yml", (), ()), hosts, ()), {})
    assert made.content.decode() == f"{HEAD}{ZENOH}\n"


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("pip install A B==1", ["A", "B==1"]),
        ("pip3 install -U 'A[x]>=1,<2'", ["A[x]>=1,<2"]),
        ("uv pip install A", ["A"]),
        ("python -m pip --quiet install A", ["A"]),
        ("python3 -m pip install --upgrade-strategy eager --timeout=9 A", ["A"]),
        ("pip install 'A; python_version < \"3.12\"'", ['A; python_version < "3.12"']),
        ("pip install .", ["# not in the bundle: ."]),
        ("pip install '.[dev]'", ["# not in the bundle: .[dev]"]),
        ("pip install -e ../hub/camera", ["# not in the bundle: ../hub/camera"]),
        ("pip install --editable=here A", ["# not in the bundle: here", "A"]),
        ("pip install wheels/a.whl b.whl", ["# not in the bundle: wheels/a.whl", "# not in the bundle: b.whl"]),
        ("pip install 'A @ file:///opt/a'", ["# not in the bundle: A @ file:///opt/a"]),
        ("pip install git+https://host/a.git", ["git+https://host/a.git"]),
        ("pip install 'A @ https://host/a.whl'", ["A @ https://host/a.whl"]),
        ("pip install A --extra-index-url https://host/cpu B", ["A", "--extra-index-url https://host/cpu", "B"]),
        ("pip install A -i https://host/only", ["A", "# not taken over: -i https://host/only"]),
        ("pip install A -f wheels", ["A", "# not taken over: -f wheels"]),
        ("pip install $NAME==1", ["thing==1"]),
        ("pip install pyarrow", []),
        ("pip install pyarrow==26.0.1", []),
        ("pip install pyarrow<30", ["pyarrow<30"]),
        ("pip download A", []),
        ("cargo install A", []),
        ("pip install 'A", []),
        ("pip install -r", ["# not in the bundle: -r "]),
        ("pip install 'A\nB'", ["A B"]),
    ],
)
def test_a_command_becomes_lines(command: str, lines: list[str]) -> None:
    expected = "".join(f"{line}\n" for line in ["# for a", *lines]) if lines else ""
    assert written(step(command, NAME="thing")) == expected


def test_a_line_stands_once_and_a_version_is_never_lost() -> None:
    text = written(
        step("pip install numpy torch==2", owner="a"),
        step("pip install torch numpy==2.4", owner="b"),
        step("pip install numpy torch==2 Num_Py", owner="c"),
        step("pip install num-py my.thing", owner="d"),
    )
    assert text == "# for a\nnumpy\ntorch==2\n# for b\nnumpy==2.4\n# for c\nNum_Py\n# for d\nmy.thing\n"


def test_modules_come_first_since_their_builds_do() -> None:
    assert written(step("pip install A"), modules=(step("pip install B", owner="outer"),)) == (
        "# for outer\nB\n# for a\nA\n"
    )


def test_a_requirements_file_is_read_from_the_folder_of_the_step() -> None:
    files = {
        "sub/needs.txt": b"# head\nA  # why\n-r more/inner.txt\n--extra-index-url https://host/x\n\n-e .\nC \\\n ==3\n",
        "sub/more/inner.txt": b"D\n-r ../needs.txt\n-r gone.txt\n",
    }
    assert written(step("pip install -r ./needs.txt", folder="sub"), files=files) == (
        "# for a\nA\nD\n# not in the bundle: -r gone.txt\n--extra-index-url https://host/x\n"
        "# not in the bundle: .\nC ==3\n"
    )


def test_the_files_that_steps_name_are_listed_once_and_from_the_root() -> None:
    planned = plan(
        step("pip install -r ./needs.txt", "pip install -rneeds.txt --requirement=../up.txt", folder="sub"),
        step("make"),
        modules=(step("pip install -r base.txt", owner="outer"),),
    )
    assert requirement_files(planned) == ("base.txt", "sub/needs.txt", "up.txt")


def test_wishes_are_read_from_files_and_commands_alike() -> None:
    assert wishes("pip install -r a -e b --index-url=c", {}) == (
        Wish("file", "a"),
        Wish("editable", "b"),
        Wish("index", "--index-url c"),
    )
    assert file_wishes(b"-r a\n-e b\n--index-url=c\n") == wishes("pip install -r a -e b --index-url=c", {})
