from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

HOSTS = "hosts:\n  robot: {address: 10.0.0.1}\n  base: {}\n"


def flow(machine: str, head: str = "") -> str:
    camera = f"{{id: camera, path: c.py, deploy: {{machine: {machine}}}}}"
    return f"{head}nodes:\n  - {camera}\n  - {{id: viewer, path: v.py}}\n"


def test_a_node_runs_where_its_deployment_says_and_locally_without_one(check: Check) -> None:
    checked = check(flow("robot"))
    assert checked.told == []
    assert [node.host for node in checked.graph.nodes] == ["robot", "local"]


@pytest.mark.parametrize("machine", ["robot", "base", "local"])
def test_with_an_inventory_a_machine_stands_in_it_or_is_local(check: Check, machine: str) -> None:
    assert check(flow(machine, HOSTS)).told == []


@pytest.mark.parametrize(
    ("machine", "help_text"),
    [("robto", "to use the closest machine, write `robot`"), ("zebra", "add `zebra` under `hosts`")],
)
def test_a_machine_that_is_not_in_the_inventory_is_an_error(check: Check, machine: str, help_text: str) -> None:
    checked = check(flow(machine, HOSTS))
    assert checked.told == [
        f"error DF501 5:48 there is no machine `{machine}` in the inventory; its machines are `robot`, `base`"
    ]
    finding = checked.only("DF501")
    assert (finding.label, finding.help) == ("`camera` is to run there", help_text)


def test_a_machine_that_all_nodes_share_is_told_of_once(check: Check) -> None:
    checked = check(HOSTS + "deploy: {machine: robto}\nnodes:\n  - {id: a, path: a.py}\n  - {id: b, path: b.py}\n")
    assert [line.split()[:3] for line in checked.told] == [["error", "DF501", "4:19"]]


@pytest.mark.parametrize("machine", ["a/b", "../x", '"with space"', '".hidden"', '"-x"', "ö", "a" * 65])
def test_a_name_that_cannot_be_a_files_is_an_error(check: Check, machine: str) -> None:
    name = machine.strip('"')
    assert check(flow(machine)).told == [
        f"error DF105 2:48 `{name}` cannot be a machine's name: files are named after it"
    ]


LABELLED = "hosts: {base: {labels: {gpu: none}}, arm: {labels: {gpu: a100, zone: eu}}, leg: {labels: {gpu: a100}}}\n"


def hosts_of(check: Check, deploy: str, head: str = LABELLED) -> list[str]:
    checked = check(f"{head}nodes:\n  - {{id: a, path: a.py, deploy: {deploy}}}\n  - {{id: b, path: b.py}}\n")
    assert checked.told == []
    return [node.host for node in checked.graph.nodes]


def test_labels_choose_the_first_machine_that_carries_them_all(check: Check) -> None:
    assert hosts_of(check, "{labels: {gpu: a100}}") == ["arm", "local"]
    assert hosts_of(check, "{labels: {zone: eu, gpu: a100}}") == ["arm", "local"]
    assert hosts_of(check, "{}") == ["local", "local"]


def test_a_node_that_asks_for_labels_leaves_the_machine_of_the_dataflow(check: Check) -> None:
    head = LABELLED + "deploy: {machine: base}\n"
    assert hosts_of(check, "{labels: {gpu: a100}}", head) == ["arm", "base"]
    assert hosts_of(check, "{machine: leg}", LABELLED + "deploy: {labels: {gpu: none}}\n") == ["leg", "base"]


def test_labels_that_no_machine_carries_are_an_error(check: Check) -> None:
    told = check(f"{LABELLED}nodes:\n  - {{id: a, path: a.py, deploy: {{labels: {{gpu: b200}}}}}}\n").told
    assert told == [
        (
            "error DF514 3:34 no machine carries the labels that `a` asks for: `gpu: b200`; "
            "the labels in the inventory are `gpu: none`, `gpu: a100`, `zone: eu`"
        )
    ]


def test_labels_beside_a_machine_have_no_effect(check: Check) -> None:
    told = check(f"{LABELLED}nodes:\n  - {{id: a, path: a.py, deploy: {{machine: arm, labels: {{gpu: none}}}}}}\n").told
    assert told == ["warning DF901 3:48 `labels` of `a` has no effect in this version: its `machine` is named too"]


def test_the_labels_of_a_node_that_includes_a_module_hold_for_the_nodes_inside(check: Check) -> None:
    text = f"{LABELLED}nodes:\n  - {{id: m, module: m.yml, deploy: {{labels: {{gpu: a100}}}}}}\n"
    checked = check(text, {"m.yml": "module: {name: m}\nnodes: [{id: a, path: a.py}]\n"})
    assert checked.told == []
    assert [(node.id, node.host) for node in checked.graph.nodes] == [("m.a", "arm")]


UNREAD = [
    "hosts: {arm: 10.0.0.2, base: {}}\n",
    "hosts: {base: {labels: [gpu]}}\n",
    "hosts: {base: {labels: {gpu: [a100]}}}\n",
]


@pytest.mark.parametrize("head", UNREAD)
@pytest.mark.parametrize("deploy", ["machine: arm", "labels: {gpu: a100}"])
def test_a_machine_that_could_not_be_read_is_not_missed(check: Check, head: str, deploy: str) -> None:
    checked = check(
        f"{head}nodes:\n  - {{id: a, path: a.py, outputs: [x], deploy: {{{deploy}}}}}\n"
        "  - {id: b, path: b.py, inputs: {x: a/x}}\n"
    )
    assert [finding.code for finding in checked.findings] == ["DF103"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hosts: {arm: 10.0.0.2, base: {}}\n", "DF103"),
        ("machines: [{id: arm, host: 10.0.0.2, port: 0}]\ncoordinator: {addr: 10.0.0.1}\n", "DF104"),
        ("hosts: {base: {\n", "DF004"),
    ],
)
def test_nor_one_of_an_inventory_file_that_could_not_be_read(check: Check, text: str, code: str) -> None:
    checked = check(flow("arm"), {"inventory.yml": text}, inventory="inventory.yml")
    assert [finding.code for finding in checked.findings] == [code]
