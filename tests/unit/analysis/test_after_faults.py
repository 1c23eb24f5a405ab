"""Files with faults in keys and values: wiring is judged too, and nothing is told that only follows of a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Check

CAMERA = "nodes:\n  - {id: camera, path: c.py, inputs: {tick: dora/timer/secs/1}, outputs: [image]}\n"
MODULE = "module: {name: eye, inputs: [light], outputs: [image]}\nnodes:\n"


def test_a_wrong_value_hides_no_wrong_reference(check: Check) -> None:
    checked = check(
        CAMERA + "  - {id: sink, path: s.py, max_restarts: -1, inputs: {a: camera/imgae, b: cam/image, c: camera}}\n"
    )
    assert [found.code for found in checked.findings] == ["DF104", "DF204", "DF203", "DF106"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  - {id: eye, path: e.py, outputs: [left, [right]]}\n", "DF103"),
        ("  - {id: eye, path: e.py, outputs: right}\n", "DF103"),
        ("  - {id: eye, path: e.py, ouputs: [right]}\n", "DF101"),
        ("  - {id: eye, operator: 7}\n", "DF103"),
        ("  - {id: eye, operators: [{id: o}, 7]}\n", "DF103"),
        ("  - {id: eye, module: absent.yml}\n", "DF120"),
        ("  - {path: e.py, outputs: [right]}\n", "DF102"),
        ("  - {id: eye, path: e.py, outputs: [right], output_types: {right: [x]}}\n", "DF103"),
    ],
)
def test_a_reference_to_what_could_not_be_read_is_not_judged(check: Check, text: str, code: str) -> None:
    checked = check(f"{CAMERA}{text}  - {{id: sink, path: s.py, inputs: {{a: camera/image, x: eye/right}}}}\n")
    codes = [found.code for found in checked.findings if found.code != "DF110"]
    assert codes == [code]


def test_an_input_that_could_not_be_read_leaves_no_output_unused(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: camera, path: c.py, outputs: [image, depth]}\n"
        "  - {id: sink, path: s.py, inputs: {x: camera/image, y: [camera/depth]},"
        " input_types: {y: std/core/v1/Bytes}}\n"
    )
    assert [found.code for found in checked.findings] == ["DF103"]


def test_an_input_that_could_not_be_read_leaves_no_loop_idle(check: Check) -> None:
    checked = check(
        "nodes:\n  - {id: a, path: a.py, outputs: [x], inputs: {y: b/y, tick: [dora/timer/secs/1]}}\n"
        "  - {id: b, path: b.py, outputs: [y], inputs: {x: a/x}}\n"
    )
    assert [found.code for found in checked.findings] == ["DF103"]


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("  - {id: lens, path: l.py, outputs: [[image]], inputs: {x: _mod/light}}\n", "DF103"),
        ("  - {id: le/ns, path: l.py, outputs: [image]}\n  - {id: b, path: b.py, inputs: {x: le/image}}\n", "DF105"),
        ("  - {id: lens, module: absent.yml}\n", "DF120"),
    ],
)
def test_a_fault_inside_a_module_is_told_once(check: Check, inner: str, code: str) -> None:
    checked = check(
        CAMERA + "  - {id: eye, module: eye.yml, inputs: {light: camera/image}}\n"
        "  - {id: sink, path: s.py, inputs: {x: eye/image}}\n",
        {"eye.yml": MODULE + inner},
    )
    codes = [found.code for found in checked.findings if found.code != "DF203"]
    assert codes == [code]


def test_a_module_input_that_could_not_be_read_counts_as_connected(check: Check) -> None:
    checked = check(
        CAMERA + "  - {id: eye, module: eye.yml, inputs: {light: [camera/image]}}\n",
        {"eye.yml": MODULE + "  - {id: lens, path: l.py, outputs: [image], inputs: {x: _mod/light}}\n"},
    )
    assert [found.code for found in checked.findings] == ["DF103"]


@pytest.mark.parametrize(
    "rest", ["path: c.py, custom: {source: d.py, outputs: [image]}", "outputs: [x], custom: {source: d, outputs: [y]}"]
)
def test_what_an_old_key_holds_beside_its_modern_form_is_not_missed(check: Check, rest: str) -> None:
    checked = check(f"nodes:\n  - {{id: camera, {rest}}}\n  - {{id: sink, path: s.py, inputs: {{a: camera/image}}}}\n")
    assert [found.code for found in checked.findings] == ["DF101"]


def test_labels_are_not_idle_where_the_machines_could_not_be_read(check: Check) -> None:
    checked = check(f"hosts: 7\n{CAMERA[:-2]}, deploy: {{labels: {{arm: left}}}}}}\n")
    assert [found.code for found in checked.findings if found.code != "DF110"] == ["DF103"]
