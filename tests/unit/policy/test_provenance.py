"""Findings inside modules: each names the places that include the module, innermost first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Diagnostic, Label, Severity, Span
from doraflow.pipeline import Options, check
from doraflow.policy.provenance import with_provenance

if TYPE_CHECKING:
    from pathlib import Path

FLOW = "nodes:\n  - {id: outer, module: mods/outer.yml}\n"
OUTER = "module: {name: outer}\nnodes:\n  - {id: inner, module: inner.yml}\n"
FAULTY = {
    "a value": "module: {name: inner}\nnodes:\n  - {id: a, path: a.py, inputs: {t: dora/timer/hz/0}}\n",
    "a key": "module: {name: inner}\nnodes:\n  - {id: a, path: a.py, ouputs: [x]}\n",
    "a reference": "module: {name: inner}\nnodes:\n  - {id: a, path: a.py, inputs: {x: nobody/x}}\n",
    "an argument": "module: {name: inner}\nnodes:\n  - {id: a, path: a.py, args: a | b}\n",
    "a type": "module: {name: inner}\nnodes:\n  - {id: a, path: a.py, outputs: [x], output_types: {x: std/x/v1/Y}}\n",
    "a source": "module: {name: inner}\nnodes:\n  - {id: a, path: b.py}\n",
    "syntax": "module: {name: inner\n",
    "a header": "module: {nam: inner}\nnodes: []\n",
}


def test_every_stage_s_findings_tell_where_the_module_comes_from(tmp_path: Path) -> None:
    (tmp_path / "mods").mkdir()
    (tmp_path / "mods/a.py").touch()
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "mods/outer.yml").write_text(OUTER)
    for fault, text in FAULTY.items():
        (tmp_path / "mods/inner.yml").write_text(text)
        made = check(tmp_path / "flow.yml", Options())
        inside = [each for each in made.diagnostics() if each.span and each.span.file.endswith("inner.yml")]
        assert inside, fault
        for finding in inside:
            places = [(label.span.file.rsplit("/", 1)[-1], label.text) for label in finding.related]
            assert places[-2:] == [
                ("outer.yml", "the module `outer.inner` is included here"),
                ("flow.yml", "the module `outer` is included here"),
            ], fault


def test_a_place_that_a_stage_has_told_is_not_told_twice() -> None:
    place = Label(Span("flow.yml", 2, 1, 2, 5), "the module `m` is included here")
    finding = Diagnostic("DF103", Severity.ERROR, "m", Span("m.yml", 1, 1, 1, 2), related=(place,))
    assert with_provenance([finding], {"m.yml": place}) == [finding]


def test_modules_in_a_ring_end() -> None:
    ring = {name: Label(Span(other, 1, 1, 1, 2), "here") for name, other in (("a.yml", "b.yml"), ("b.yml", "a.yml"))}
    (told,) = with_provenance([Diagnostic("DF103", Severity.ERROR, "m", Span("a.yml", 1, 1, 1, 2))], ring)
    assert [label.span.file for label in told.related] == ["b.yml", "a.yml"]
