"""Dataflows whose hosts, network namespaces, are joined by zenoh: peer to peer, and through a router."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.certificates import make_certificates
from tests.e2e.pipeline import NODES, PIPELINE, SINK, all_well

if TYPE_CHECKING:
    from tests.e2e.fleet import Fleet

pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")

ZENOH = "name: fleet\ncommunication: {{remote: {options}}}\n" + PIPELINE

ROUTER = """
import json, sys, time, zenoh
config = zenoh.Config()
config.insert_json5("mode", '"router"')
config.insert_json5("listen/endpoints", '["tcp/0.0.0.0:7447"]')
config.insert_json5("scouting/multicast/enabled", "false")
with zenoh.open(config):
    print("ready", flush=True)
    sys.stdin.read()
"""

LISTENER = """
import io, json, sys, pyarrow as pa, zenoh
config = zenoh.Config()
config.insert_json5("connect/endpoints", json.dumps([sys.argv[1]]))
config.insert_json5("scouting/multicast/enabled", "false")
seen = []
with zenoh.open(config) as session, session.declare_subscriber("dora/default/fleet/**") as subscriber:
    print("ready", flush=True)
    for sample in subscriber:
        with pa.ipc.open_stream(io.BytesIO(sample.payload.to_bytes())) as stream:
            array = stream.read_next_batch().column(0)
        about = json.loads(sample.attachment.to_bytes())
        seen.append((str(sample.key_expr), str(array.type), sorted(about["parameters"])))
        if len({key for key, *_ in seen}) == 2:
            break
print(json.dumps(sorted({tuple(map(str, each)) for each in seen})), flush=True)
"""


PEER = """
import sys, time, zenoh
config = zenoh.Config.from_json5(sys.argv[1])
config.insert_json5("scouting/multicast/enabled", "false")
with zenoh.open(config) as session:
    print("ready", flush=True)
    end = time.monotonic() + float(sys.argv[2])
    while not session.info.peers_zid() and time.monotonic() < end:
        time.sleep(0.05)
    print(len(session.info.peers_zid()), flush=True)
"""


HOSTS = ("one", "two", "three")


def program(fleet: Fleet, host: str, code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program on a host, and wait until it says that it is ready."""
    command = fleet.network.command(host, sys.executable, "-c", code, *arguments)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_cut_link_between_peers_loses_nothing_under_backpressure(fleet: Fleet) -> None:
    flow = ZENOH.format(options="{transport: zenoh, insecure: true}", count=800, policy="backpressure")
    bundle = fleet.build(flow, NODES)
    gate = fleet.folder / "gate"
    launches = [fleet.launch(bundle, host, GATE=str(gate)) for host in ("three", "one", "two")]
    launches[0].wait_for("got 1")
    fleet.network.cut("two")
    launches[1].wait_for("the link to `relay` on `two` (tcp/10.99.0.2:29401) is cut; it is taken up again")
    gate.touch()
    fleet.network.mend("two")
    launches[1].wait_for("the link to `relay` on `two` is there again")
    all_well(launches, 800)


UNTIL_HEARD = """
import itertools, os, time
def until_heard(least):
    for number in itertools.count():
        yield number
        if number + 1 >= least:
            if os.path.exists(os.environ["HEARD"]):
                return
            time.sleep(0.01)
"""
"""Who listens outside may miss messages, and needs a moment to be known; so a source goes on until it was heard."""


def test_links_run_through_a_router_which_others_listen_at(fleet: Fleet) -> None:
    router = f"tcp/{fleet.network.address('three')}:7447"
    options = f"{{transport: zenoh, mode: client, connect: [{router}], insecure: true}}"
    source = (
        NODES["source"]
        .replace("in range(count)", "in until_heard(count)")
        .replace('print("all sent"', 'print("sent", number + 1')
    )
    heard_by_all = fleet.folder / "heard"
    nodes = {**NODES, "source": UNTIL_HEARD + source}
    bundle = fleet.build(ZENOH.format(options=options, count=200, policy="backpressure"), nodes)
    launches = [fleet.launch(bundle, "three")]
    launches[0].wait_for("no zenoh router is reached")
    hub = program(fleet, "three", ROUTER)
    listener = program(fleet, "three", LISTENER, router)
    launches += [fleet.launch(bundle, host, HEARD=str(heard_by_all)) for host in ("one", "two")]
    heard = [f"dora/default/fleet/output/{node}/data" for node in ("relay", "source")]
    out, _ = listener.communicate(timeout=120)
    assert json.loads(out) == [[key, "uint8", "['number', 'sum']"] for key in heard]
    heard_by_all.touch()
    launches[1].wait_for("source | sent ")
    all_well(launches, int(launches[1].out.partition("source | sent ")[2].split()[0]))
    hub.communicate(timeout=120)


MUTUAL_TLS = """
{{transport: {{link: {{tls: {{
  root_ca_certificate: "{0}/authority.pem", enable_mtls: true,
  listen_certificate: "{0}/host.pem", listen_private_key: "{0}/host.key",
  connect_certificate: "{0}/host.pem", connect_private_key: "{0}/host.key",
}}}}}}}}
"""

DIE_ONCE = """
import os
from pathlib import Path
def die_once(seen):
    mark = Path(os.environ["TMPDIR"], "died")
    if len(seen) == 100 and not mark.exists():
        mark.write_text("once")
        os.kill(os.getpid(), 9)
"""


def test_a_reader_behind_certificates_that_is_killed_goes_on_and_a_stranger_is_kept_out(fleet: Fleet) -> None:
    for name in ("certificates", "strange"):
        make_certificates(fleet.folder / name, map(fleet.network.address, fleet.network.hosts))
    (fleet.folder / "zenoh.json5").write_text(MUTUAL_TLS.format(fleet.folder / "certificates"))
    options = f"{{transport: zenoh, protocol: tls, config: {fleet.folder}/zenoh.json5}}"
    flow = ZENOH.replace("    path: sink.py\n", "    path: sink.py\n    restart_policy: on-failure\n")
    sink = SINK.replace("    for event in node:\n", "    for event in node:\n        die_once(seen)\n", 1)
    bundle = fleet.build(
        flow.format(options=options, count=400, policy="backpressure"), {**NODES, "sink": DIE_ONCE + sink}
    )
    launches = [fleet.launch(bundle, host) for host in ("three", "one")]
    endpoint = f"tls/{fleet.network.address('three')}:29401"
    for name, seconds, peers in (("certificates", "60", "1\n"), ("strange", "1", "0\n")):
        settings = MUTUAL_TLS.format(fleet.folder / name).replace("{", f'{{connect: {{endpoints: ["{endpoint}"]}}, ', 1)
        other = program(fleet, "two", PEER, settings, seconds)
        assert other.communicate(timeout=90)[0] == peers
    launches.append(fleet.launch(bundle, "two"))
    assert [each.wait(180) for each in launches] == [0, 0, 0], "\n".join(each.out + each.err for each in launches)
    assert "0 wrong, in order: True, last 399" in launches[0].out
