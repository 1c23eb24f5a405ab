"""The wiring table: judged, matched with the launch script, and turned into what nodes are told."""

from __future__ import annotations

import dataclasses
import json
import stat
from pathlib import Path

import pytest
from doraflow_runtime.codec import from_json, to_json
from doraflow_runtime.contract import (
    HostWiring,
    InputWiring,
    Link,
    NodeConfig,
    NodeWiring,
    OperatorWiring,
    OutputWiring,
    Process,
)
from doraflow_runtime.launcher import wiring
from doraflow_runtime.launcher.findings import LaunchError

CAMERA = NodeWiring("camera", outputs=(OutputWiring("image"),))
SCREEN = NodeWiring("screen", inputs=(InputWiring("picture", "camera/image", 3, "backpressure"),))
LINK = Link(7, "camera", "image", "screen", "picture")
TABLE = HostWiring(1, "vision", "local", (CAMERA, SCREEN), (LINK,), exit_when_nodes_finish=True)


def read(folder: Path, table: HostWiring) -> HostWiring:
    (folder / "wiring").mkdir()
    (folder / "wiring" / "local.json").write_text(json.dumps(to_json(table)))
    return wiring.read_wiring(folder, "local")


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read(tmp_path, TABLE) == TABLE


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"local\.json` cannot be read: no such file or directory"):
        wiring.read_wiring(tmp_path, "local")


@pytest.mark.parametrize(
    "link", [dataclasses.replace(LINK, output="depth"), dataclasses.replace(LINK, consumer="printer")]
)
def test_a_link_between_unlisted_ports_is_refused(tmp_path: Path, link: Link) -> None:
    with pytest.raises(LaunchError, match="a link between ports that it does not list: `camera/"):
        read(tmp_path, dataclasses.replace(TABLE, links=(link,)))


def test_table_and_launch_script_must_name_the_same_nodes() -> None:
    camera, screen = Process("camera", "python"), Process("screen", "python")
    wiring.match(TABLE, [screen, camera])
    with pytest.raises(LaunchError, match="the wiring table names `screen` once, the launch script not at all"):
        wiring.match(TABLE, [camera])
    with pytest.raises(LaunchError, match="the wiring table names `other` not at all, the launch script once"):
        wiring.match(TABLE, [camera, screen, Process("other", "python")])
    with pytest.raises(LaunchError, match="the wiring table names `camera` once, the launch script 2 times"):
        wiring.match(TABLE, [camera, camera, screen])


def test_nodes_are_told_their_links_and_the_queues_at_the_other_end(tmp_path: Path) -> None:
    (tmp_path / "dataflow.resolved.yml").write_text("")
    camera, screen = wiring.node_configs(TABLE, (), "run", Path("/sources"), tmp_path)
    assert (camera.listen, camera.launcher) == ("n0.sock", "launcher.sock")
    assert (camera.incoming, screen.incoming) == ((), (LINK,))
    (outgoing,) = camera.outgoing
    assert (outgoing.link, outgoing.address) == (LINK, "n1.sock")
    assert (outgoing.queue_size, outgoing.queue_policy) == (3, "backpressure")
    assert screen.outgoing == ()
    assert screen.exit_when_nodes_finish
    assert (screen.run_id, screen.source_root) == ("run", "/sources")
    assert screen.descriptor == str(tmp_path / "dataflow.resolved.yml")


def test_configurations_are_written_for_this_user_alone(tmp_path: Path) -> None:
    configs = wiring.node_configs(TABLE, (), "run", Path("/sources"), tmp_path)
    wiring.write_configs(configs, tmp_path)
    path = wiring.config_path(tmp_path, 1)
    assert from_json(NodeConfig, json.loads(path.read_text())) == configs[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (NodeWiring("a"), False),
        (CAMERA, True),
        (SCREEN, True),
        (NodeWiring("o", operators=(OperatorWiring("x", "python", "x.py"),)), True),
    ],
)
def test_only_nodes_with_ports_are_waited_for(node: NodeWiring, expected: bool) -> None:
    assert wiring.has_ports(node) is expected
