"""Variables of the host in the path of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.path_variables import begins_with_variable
from doraflow.pipeline import Options, plan
from doraflow.pipeline import check as checked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", ["$HOME/a.py", "${HOME}/a", "${PWD:-/x}/a.py", "$USER"])
def test_the_variables_that_dora_fills_in_are_known(path: str) -> None:
    assert begins_with_variable(path)


@pytest.mark.parametrize("path", ["a/$HOME", "$HOMER/a", "$ROBOT/a", "${ROBOT:-a}", "a.py"])
def test_other_paths_lie_where_they_are_written(path: str) -> None:
    assert not begins_with_variable(path)


def test_such_a_path_is_planned_as_it_stands_and_not_put_into_the_bundle(tmp_path: Path) -> None:
    file = tmp_path / "flow.yml"
    file.write_text("nodes:\n  - {id: a, path: $HOME/nodes/a.py, deploy: {working_dir: sub}}\n")
    made = checked(file, Options())
    (finding,) = made.diagnostics()
    assert finding.code == "DF602"
    assert finding.message == (
        "`$HOME/nodes/a.py` of `a` is a path that begins with a variable of the host: it is not put into the bundle, "
        "and every host needs it in that place"
    )
    made_plan = plan(made)
    assert made_plan is not None
    assert [process.path for host in made_plan.hosts for process in host.processes] == ["$HOME/nodes/a.py"]
