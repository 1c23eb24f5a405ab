from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.parser.loaders import _OBEYED

if TYPE_CHECKING:
    from doraflow.diagnostics import Diagnostic
    from tests.unit.parser.conftest import Project


def obeyed(project: Project, line: str) -> list[Diagnostic]:
    text = f"nodes:\n  - id: a\n    path: a.py\n    env:\n      {line}\n"
    return [finding for finding in project({"flow.yml": text})[1] if finding.code in ("DF114", "DF116")]


@pytest.mark.parametrize("name", [*_OBEYED, "DYLD_FRAMEWORK_PATH"])
def test_a_variable_that_other_programs_obey_is_a_warning_with_its_consequence(project: Project, name: str) -> None:
    (finding,) = obeyed(project, f"{name}: x")
    assert (finding.code, finding.severity) == ("DF116", "warning")
    assert finding.message.startswith(f"`{name}` is not the node's alone: ")
    assert str(finding.span).endswith("flow.yml:5:7")


def test_a_path_without_the_host_s_is_told_with_the_mend(project: Project) -> None:
    (finding,) = obeyed(project, "PATH: /opt/ros/bin")
    assert finding.message == (
        "`PATH` is not the node's alone: it takes the place of the host's, so that commands such as `python3` are not "
        "found any more"
    )
    assert finding.help == "write `PATH: /opt/ros/bin:$PATH`"


@pytest.mark.parametrize(
    "line",
    [
        "PATH: /opt/bin:$PATH",
        "PATH: ${PATH}:/opt/bin",
        "JAVA_TOOL_OPTIONS: -Xmx1g",
        "ENV: production",
        "LD_BIND_NOW: 1",
        "CAPTURE_PATH: /dev/video0",
        "PYTHONUNBUFFERED: 1",
    ],
)
def test_other_variables_are_fine(project: Project, line: str) -> None:
    assert obeyed(project, line) == []


@pytest.mark.parametrize("line", ["PATH: /opt/bin:$PATHS", "JAVA_TOOL_OPTIONS: -javaagent:a.jar"])
def test_what_a_variable_holds_counts(project: Project, line: str) -> None:
    assert [finding.code for finding in obeyed(project, line)] == ["DF116"]


@pytest.mark.parametrize("name", ["LD_PRELOAD", "DYLD_INSERT_LIBRARIES"])
def test_a_name_that_is_dropped_is_told_as_such_alone(project: Project, name: str) -> None:
    assert [finding.code for finding in obeyed(project, f"{name}: x")] == ["DF114"]
