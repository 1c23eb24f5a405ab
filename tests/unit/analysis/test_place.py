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


def test_labels_choose_a_machine_that_carries_them_all(check: Check) -> None:
    assert hosts_of(check, "{labels: {gpu: a100}}") == ["arm", "base"]
    assert hosts_of(check, "{labels: {zone: eu, gpu: a100}}") == ["arm", "base"]
    assert hosts_of(check, "{}") == ["base", "base"]


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


SIZED = "hosts:\n  arm: {cores: 4, memory: 4GB}\n  gpu: {cores: 16, memory: 32GB, labels: {gpu: a100}}\n"


def placed(check: Check, *nodes: str, head: str = SIZED) -> dict[str, str]:
    checked = check(head + "nodes:\n" + "".join(f"  - {{{node}}}\n" for node in nodes))
    assert {finding.code for finding in checked.findings} <= {"DF207", "DF404", "DF902"}
    return {node.id: node.host for node in checked.graph.nodes}


def test_a_node_goes_where_its_traffic_is_and_what_it_asks_for_comes_first(check: Check) -> None:
    camera = "id: camera, path: c.py, outputs: [image], deploy: {machine: gpu}"
    viewer = "id: viewer, path: v.py, inputs: {image: camera/image}"
    assert placed(check, camera, viewer) == {"camera": "gpu", "viewer": "gpu"}
    heavy = "id: camera, path: c.py, outputs: [image], deploy: {machine: arm}"
    assert placed(check, heavy, f"{viewer}, deploy: {{cores: 8}}") == {"camera": "arm", "viewer": "gpu"}
    assert placed(check, heavy, f"{viewer}, deploy: {{memory: 8GB}}") == {"camera": "arm", "viewer": "gpu"}
    assert placed(check, heavy, f"{viewer}, cpu_affinity: [9]") == {"camera": "arm", "viewer": "gpu"}


def test_images_draw_more_than_numbers_do(check: Check) -> None:
    typed = (
        "id: camera, path: c.py, outputs: [image], output_types: {image: std/media/v1/Image}, deploy: {machine: gpu}"
    )
    imu = "id: imu, path: i.py, outputs: [pose], output_types: {pose: std/core/v1/Float64}, deploy: {machine: arm}"
    reader = "id: reader, path: r.py, inputs: {pose: imu/pose, image: camera/image}"
    assert placed(check, imu, typed, reader)["reader"] == "gpu"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "deploy: {cores: 32}",
            "no machine can take `a`, which asks for 32 cores: `arm` has 4 cores, `gpu` has 16 cores",
        ),
        (
            "deploy: {memory: 8GB, labels: {gpu: a100}, cores: 32}",
            (
                "no machine can take `a`, which asks for `gpu: a100`, 32 cores and 8 GiB of memory: "
                "`arm` does not carry `gpu: a100`, `gpu` has 16 cores"
            ),
        ),
    ],
)
def test_what_no_machine_has_is_an_error_that_says_what_each_lacks(check: Check, asked: str, message: str) -> None:
    finding = check(f"{SIZED}nodes:\n  - {{id: a, path: a.py, {asked}}}\n").only("DF515")
    assert finding.message == message
    assert finding.help == "ask for what one of the machines has, or correct the inventory"


def test_a_machine_that_others_fill_is_named_with_them(check: Check) -> None:
    nodes = "".join(f"  - {{id: {name}, path: a.py, deploy: {{cores: 9}}}}\n" for name in "ab")
    finding = check(f"{SIZED}nodes:\n{nodes}").only("DF515")
    assert finding.message == (
        "no machine has room left for `b`, which asks for 9 cores: "
        "of the 16 cores and 32 GiB of memory of `gpu`, `a` has 9 cores"
    )


def test_a_machine_that_is_named_must_have_room_too(check: Check) -> None:
    node = "  - {{id: {0}, path: a.py, deploy: {{machine: arm, cores: {1}}}}}\n"
    told = check(f"{SIZED}nodes:\n{node.format('a', 6)}").told
    assert told == [
        "error DF515 5:48 `arm` has no room for `a`, which asks for 6 cores: `arm` has 4 cores and 4 GiB of memory"
    ]
    finding = check(f"{SIZED}nodes:\n{node.format('a', 3)}{node.format('b', 2)}").only("DF515")
    assert finding.message == (
        "`arm` has no room for `b`, which asks for 2 cores: "
        "of the 4 cores and 4 GiB of memory of `arm`, `a` has 3 cores"
    )


def test_as_many_machines_as_nodes_are_looked_at_by_their_labels(check: Check) -> None:
    machines = "".join(f"  m{at}: {{labels: {{place: p{at}}}}}\n" for at in range(300))
    nodes = "".join(f"  - {{id: n{at}, path: a.py, deploy: {{labels: {{place: p{at}}}}}}}\n" for at in range(300))
    hosts = [node.host for node in check(f"hosts:\n{machines}nodes:\n{nodes}").graph.nodes]
    assert hosts == [f"m{at}" for at in range(300)]
