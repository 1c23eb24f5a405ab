"""The pages that show the benchmark's figures: they say what the kept figures say."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from bench.pages import page, plot, readme
from bench.peers.doraflow import ARROW_KINDS
from bench.plot import Axis, Line, Panel, decades, svg
from bench.report import BEGIN, END, KEPT, KEPT_FAR, ROOT, filled, pages
from bench.results import ARRAYS, OURS, Results, read


@pytest.mark.parametrize("path", ["README.md", "docs/measured.md", "docs/measured.svg"])
def test_a_page_shows_the_kept_figures(path: str) -> None:
    expected = pages(read(KEPT), read(KEPT_FAR))[ROOT / path]
    assert (ROOT / path).read_text(encoding="utf-8") == expected, "run `python -m bench.report`"


def test_the_readme_is_changed_only_between_its_markers() -> None:
    text = f"before\n{BEGIN}old\n{END}after\n"
    assert filled(text, "new\n") == f"before\n{BEGIN}\nnew\n\n{END}after\n"
    assert filled(filled(text, "new\n"), "new\n") == filled(text, "new\n")


def test_an_absent_peer_is_told_with_its_reason() -> None:
    results = read(KEPT)
    results.absent["ghost"] = "no wheel for this machine"
    for text in (readme(results), page(results)):
        assert "ghost is absent: no wheel for this machine." in text


def test_the_plot_of_the_kept_figures_has_a_line_for_each_peer_and_way() -> None:
    results = read(KEPT)
    drawn = ET.fromstring(plot(results))
    lines = drawn.findall(".//{http://www.w3.org/2000/svg}polyline")
    ways = {(row.peer, row.way) for row in results.rows if row.kind == "latency" and row.peer != ARRAYS}
    assert len(lines) == len(ways)


def test_the_reader_of_arrays_stands_beside_dora_in_tables_and_not_in_the_plot() -> None:
    results = read(KEPT)
    before = plot(results)
    results.rows = [row for row in results.rows if row.peer != ARRAYS]
    results.versions = {"doraflow": "", ARRAYS: "", **results.versions}
    results.rows += [replace(row, peer=ARRAYS) for row in results.rows if row.peer == OURS and row.kind in ARROW_KINDS]
    assert plot(results) == before
    assert "| payload | doraflow | doraflow-arrow | dora |" in readme(results)
    head = "|  | doraflow | doraflow-arrow | dora |"
    assert page(results).count(head) == len(ARROW_KINDS)


def test_ten_times_the_value_is_one_decade_up() -> None:
    axis = Axis("x", decades([1.0, 1000.0]))
    drawn = svg([Panel("p", (Line("a", ((1.0, 1.0), (10.0, 10.0), (100.0, 100.0))),))], axis, axis)
    (points,) = (
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}polyline")
    )
    steps = {(round(b[0] - a[0]), round(b[1] - a[1])) for a, b in itertools.pairwise(points)}
    assert len(steps) == 1


def test_names_are_escaped() -> None:
    axis = Axis("a<b", decades([1.0]))
    drawn = svg([Panel("x & y", (Line("<i>", ((1.0, 1.0),)),))], axis, axis)
    assert "&lt;i&gt;" in drawn
    assert ET.fromstring(drawn) is not None


def test_results_without_latencies_still_make_a_page() -> None:
    machine = {"processor": "p", "cores": 2, "memory_gib": 1.0, "kernel": "k", "python": "3.11", "load": 0.0}
    assert page(Results(machine=machine, settings={"rounds": 1})).startswith("# Measured\n")
    assert Path(KEPT).name == "results.json"
