"""Every fault that a user can plant: its own code, its place, and the mend, through the whole compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from doraflow.codes import CODES
from doraflow.diagnostics import Severity
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.diagnostics import Diagnostic


class Fault(NamedTuple):
    """A dataflow with one fault, and what must be said of it."""

    text: str
    code: str
    line: int
    column: int
    message: str
    help: str | None


CAMERA = "nodes:\n  - id: camera\n    path: a.py\n"

FAULTS = {
    "an unknown key": Fault(CAMERA + "    ouputs: [image]\n", "DF101", 4, 5, "has no key `ouputs`", "write `outputs`"),
    "an unknown node": Fault(
        CAMERA + "    inputs:\n      x: camra/image\n", "DF203", 5, 10, "there is no node `camra`", "`camera/image`"
    ),
    "an unknown output": Fault(
        CAMERA + "    outputs: [image]\n  - {id: b, path: a.py, inputs: {x: camera/imgae}}\n",
        "DF204",
        5,
        37,
        "`camera` has no output `imgae`",
        "write `camera/image`",
    ),
    "a missing id": Fault("nodes:\n  - path: a.py\n", "DF102", 2, 5, "`id`", "add `id: …`"),
    "a duplicate id": Fault(CAMERA + "  - {id: camera, path: a.py}\n", "DF201", 4, 10, "`camera`", "another id"),
    "an illegal id": Fault("nodes:\n  - {id: a/b, path: a.py}\n", "DF105", 2, 10, "a/b", None),
    "a bad timer": Fault(
        CAMERA + "    inputs: {x: dora/timer/millis/fast}\n", "DF107", 4, 17, "fast", "dora/timer/millis/"
    ),
    "a timer of zero": Fault(CAMERA + "    inputs: {x: dora/timer/hz/0}\n", "DF107", 4, 17, "0", None),
    "queue_size 0": Fault(
        CAMERA + "    outputs: [x]\n    inputs: {x: {source: dora/timer/hz/1, queue_size: 0}}\n",
        "DF108",
        5,
        55,
        "queue_size",
        None,
    ),
    "queue_size text": Fault(
        CAMERA + "    inputs: {x: {source: dora/timer/hz/1, queue_size: ten}}\n", "DF108", 4, 55, "queue_size", None
    ),
    "operator and path": Fault(CAMERA + "    operator: {python: a.py}\n", "DF109", 4, 5, "`operator`", None),
    "no implementation": Fault("nodes:\n  - {id: a, outputs: [x]}\n", "DF110", 2, 5, "`path`", None),
    "an unknown type": Fault(
        CAMERA + "    outputs: [x]\n    output_types: {x: std/media/v1/Imag}\n",
        "DF301",
        5,
        23,
        "std/media/v1/Imag",
        "`std/media/v1/Image`",
    ),
    "types that do not fit": Fault(
        CAMERA
        + "    outputs: [x]\n    output_types: {x: std/media/v1/Image}\n"
        + "  - {id: b, path: a.py, inputs: {y: camera/x}, input_types: {y: std/core/v1/String}}\n",
        "DF302",
        6,
        65,
        "std/core/v1/String",
        None,
    ),
    "YAML syntax": Fault("nodes: [\n", "DF004", 2, 1, "", None),
    "a tab": Fault("nodes:\n\t- id: a\n", "DF005", 2, 1, "tab", "spaces"),
    "an empty file": Fault("", "DF011", 1, 1, "empty", "nodes"),
    "a list at the top": Fault("- id: a\n  path: a.py\n", "DF012", 1, 1, "nodes", "nodes:"),
    "a missing source": Fault(
        "nodes:\n  - {id: a, path: b.py}\n", "DF601", 2, 19, "there is no file `b.py`", "write `a.py`"
    ),
    "a second document": Fault(CAMERA + "---\n" + CAMERA, "DF006", 4, 1, "document", None),
    "a duplicate key": Fault(CAMERA + "    path: a.py\n", "DF007", 4, 5, "`path`", None),
    "an object tag": Fault("nodes: !!python/object:x.Y {}\n", "DF008", 1, 8, "tag", None),
    "an unknown machine": Fault(
        "hosts: {robot: {}}\n" + CAMERA + "    deploy: {machine: robto}\n", "DF501", 5, 23, "robto", "`robot`"
    ),
    "a word that is none of the allowed": Fault(
        CAMERA + "    restart_policy: on_failure\n", "DF112", 4, 21, "on_failure", "on-failure"
    ),
}


def findings(tmp_path: Path, text: str) -> list[Diagnostic]:
    (tmp_path / "a.py").touch()
    (tmp_path / "flow.yml").write_text(text)
    return [
        item for item in check(tmp_path / "flow.yml", Options()).diagnostics() if item.severity is not Severity.NOTE
    ]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_finding_at_its_place_with_its_mend(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    told = findings(tmp_path, fault.text)
    errors = [item for item in told if item.severity is Severity.ERROR]
    assert [item.code for item in errors] == [fault.code], [item.message for item in told]
    (finding,) = errors
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == (fault.line, fault.column)
    assert fault.message in finding.message
    if fault.help is not None:
        assert finding.help is not None
        assert fault.help in finding.help


@pytest.mark.parametrize("name", FAULTS)
def test_messages_keep_to_the_house_style(name: str, tmp_path: Path) -> None:
    for item in findings(tmp_path, FAULTS[name].text):
        first = item.message.lstrip("`")[0]
        assert item.message[0] == "`" or first.islower() or not first.isalpha() or item.message.startswith("YAML")
        assert not item.message.endswith(".")
        assert item.help is None or not item.help.endswith(("?", "."))


def test_all_faults_of_a_file_are_told_in_one_run(tmp_path: Path) -> None:
    text = (
        "nodes:\n"
        "  - {id: a, path: missing.py, outputs: [x, x], inputs: {t: dora/timer/hz/1, y: b/nothing, z: nobody/x}}\n"
        "  - {id: b, path: a.py, inputs: {x: a/y}}\n"
    )
    codes = [item.code for item in findings(tmp_path, text) if item.severity is Severity.ERROR]
    assert sorted(codes) == ["DF202", "DF203", "DF204", "DF204", "DF601"]


def test_every_code_has_a_range_and_a_meaning() -> None:
    for code, meaning in CODES.items():
        assert code[:2] == "DF"
        assert code[2:].isdecimal()
        assert meaning
        assert not meaning.endswith(".")
