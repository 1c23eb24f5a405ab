"""Where a deploy goes: the hosts that are meant, and what is wrong with those that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.deploy.targets import BASE, Target, targets_of
from doraflow.diagnostics import Sink
from doraflow.pipeline import Options, check, plan

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.ir import Plan

NODES = "nodes:\n  - {id: a, path: a.py, deploy: {machine: edge}}\n  - {id: b, path: b.py, deploy: {machine: gpu}}\n"


def planned(folder: Path, text: str) -> Plan:
    (folder / "flow.yml").write_text(text)
    made = plan(check(folder / "flow.yml", Options(check_sources=False)))
    assert made is not None
    return made


def test_ssh_goes_before_the_address_and_a_folder_before_the_usual_one(tmp_path: Path) -> None:
    hosts = "hosts:\n  edge: {ssh: r@e, address: 10.0.0.1, folder: /srv}\n  gpu: {address: 10.0.0.2}\n  idle: {}\n"
    made = planned(tmp_path, hosts + NODES)
    sink = Sink()
    assert targets_of(made, (), sink) == (Target("edge", "r@e", "/srv"), Target("gpu", "10.0.0.2", BASE))
    assert targets_of(made, ("gpu",), sink) == (Target("gpu", "10.0.0.2", BASE),)
    assert sink.found == []


@pytest.mark.parametrize(
    ("hosts", "only", "told", "mend"),
    [
        (
            "hosts: {edge: {ssh: e}, gpu: {}}\n",
            (),
            "`gpu`, which runs `b`, has neither `ssh` nor `address`, so nothing can be copied there",
            "write `gpu: {ssh: user@address}` under `hosts`, or into the file given by `--inventory`",
        ),
        (
            "hosts: {edge: {ssh: e}, gpu: {ssh: g}}\n",
            ("gpo",),
            "nothing of the dataflow runs on `gpo`; its hosts are: `gpu`, `edge`",
            "to name the closest, write `--host gpu`",
        ),
    ],
)
def test_a_host_that_cannot_be_meant_is_told(
    tmp_path: Path, hosts: str, only: tuple[str, ...], told: str, mend: str
) -> None:
    sink = Sink()
    assert targets_of(planned(tmp_path, hosts + NODES), only, sink) is None
    (found,) = sink.diagnostics()
    assert (found.code, found.message, found.help) == ("DF870", told, mend)


def test_a_node_without_a_machine_cannot_be_deployed(tmp_path: Path) -> None:
    sink = Sink()
    assert targets_of(planned(tmp_path, "nodes: [{id: a, path: a.py}]\n"), (), sink) is None
    (found,) = sink.diagnostics()
    assert found.message == "no machine is named for `a`, so it would run here and cannot be deployed"
