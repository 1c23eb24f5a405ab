"""What a launch says to nodes whose links go over zenoh, and what it refuses."""

from __future__ import annotations

from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import CONTRACT_VERSION, Fabric, FarNode, HostWiring, NodeWiring
from doraflow_runtime.launcher.fabric import check_fabric, node_fabric, way
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.reach import Reach

if TYPE_CHECKING:
    from pathlib import Path

REACH = Reach({"gpu": "10.0.0.2", "base": "fe80::1"}, 100)
NEAR = NodeWiring("camera", port=29401)
FAR = (FarNode("detector", "gpu", 29402), FarNode("display", "base", 29401))


def wiring(fabric: Fabric | None) -> HostWiring:
    return HostWiring(CONTRACT_VERSION, "vision", "robot", (NEAR,), (), far=FAR, fabric=fabric)


def test_a_peer_listens_on_its_port_and_connects_to_its_readers_and_to_routers(tmp_path: Path) -> None:
    fabric = Fabric(protocol="tls", connect=("tls/router:7447",), config="zenoh.json5")
    assert node_fabric(fabric, NEAR, [*FAR, FAR[0]], REACH, tmp_path) == Fabric(
        protocol="tls",
        listen=("tls/0.0.0.0:29501",),
        connect=("tls/10.0.0.2:29502", "tls/[fe80::1]:29501", "tls/router:7447"),
        config=str(tmp_path / "zenoh.json5"),
    )
    assert way(fabric, FAR[0], REACH) == "tls/10.0.0.2:29502"


def test_a_client_connects_to_routers_alone(tmp_path: Path) -> None:
    fabric = Fabric("client", connect=("tcp/a:1", "tcp/b:2"))
    reader = FarNode("detector", "gpu")
    assert node_fabric(fabric, NodeWiring("camera"), [reader], REACH, tmp_path) == fabric
    assert way(fabric, reader, REACH) == "tcp/a:1, tcp/b:2"


def test_without_zenoh_links_have_endpoints_of_zeromq(tmp_path: Path) -> None:
    assert node_fabric(None, NEAR, FAR, REACH, tmp_path) is None
    assert way(None, FAR[0], REACH) == "tcp://10.0.0.2:29502"


def test_a_python_without_zenoh_is_refused_where_the_links_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(__import__("sys").modules, "zenoh", raising=False)
    monkeypatch.setattr(PathFinder, "find_spec", lambda *_: None)
    check_fabric(wiring(None), tmp_path)
    with pytest.raises(LaunchError) as caught:
        check_fabric(wiring(Fabric()), tmp_path)
    (finding,) = caught.value.findings
    assert (finding.code, finding.help) == ("DF520", "install it with `pip install eclipse-zenoh`")
    assert finding.message == (
        "the links between the hosts of this dataflow go over zenoh, and this Python has no `eclipse-zenoh`"
    )


def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")
    with pytest.raises(LaunchError) as caught:
        check_fabric(wiring(Fabric(config="zenoh.json5")), tmp_path)
    (finding,) = caught.value.findings
    assert finding.code == "DF521"
    assert finding.message == (
        f"the configuration of zenoh, `{tmp_path}/zenoh.json5`, cannot be read: no such file or directory"
    )
    (tmp_path / "zenoh.json5").write_text("{}")
    check_fabric(wiring(Fabric(config="zenoh.json5")), tmp_path)
