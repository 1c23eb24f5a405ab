"""Where hosts are reached: what the launch changes, and what of it cannot be."""

from __future__ import annotations

import argparse
import doctest
from dataclasses import replace

import pytest
from doraflow_runtime.contract import CONTRACT_VERSION, Fabric, FarNode, HostWiring, InputWiring, Peer
from doraflow_runtime.launcher import address_variables
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.link_options import add_link_options
from doraflow_runtime.launcher.reach import Changes, Reach, find_reach

PEERS = (Peer("base", "127.0.0.2", 29500), Peer("gpu", "127.0.0.3", 29400))
LONG = "x" * 300


def wiring(*peers: Peer, port: int = 29400) -> HostWiring:
    return HostWiring(CONTRACT_VERSION, "flow", "robot", (), (), peers=peers, port=port)


def refused(changes: Changes, *peers: Peer) -> list[str]:
    with pytest.raises(LaunchError) as told:
        find_reach(wiring(*peers), changes, {})
    return [finding.text() for finding in told.value.findings]


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("a..b", "and nothing is known of that address"),
        (LONG, "and nothing is known of that address"),
        ("nowhere.invalid", "and nothing is known of that address"),
        ("192.0.2.1", "which is no address of this host"),
    ],
)
def test_an_address_to_listen_on_that_is_not_of_this_host_is_told_as_that(listen: str, why: str) -> None:
    (told,) = refused(Changes(listen=listen), PEERS[0])
    assert told == (
        f"error[DF832]: `--listen` names `{listen}`, {why}\n"
        "hint: name an address of this host with `--listen`, or leave it out"
    )


def test_an_address_to_listen_on_may_be_a_name() -> None:
    assert find_reach(wiring(PEERS[0]), Changes(listen="127.0.0.1"), {}).listen == "127.0.0.1"
    assert find_reach(wiring(PEERS[0]), Changes(listen="localhost"), {}).listen in ("127.0.0.1", "::1")


def test_a_dataflow_of_one_host_listens_nowhere() -> None:
    assert find_reach(wiring(port=0), Changes(listen="nowhere.invalid"), {}) == Reach({}, 0)


def test_hosts_that_come_to_one_place_at_the_launch_are_told_to_be_built_again() -> None:
    words = (
        "error[DF832]: hosts `{}` and `{}` are both reached at `{}`, with the same ports: the build gave them out for "
        "different addresses\nhint: give both an `address` under `hosts` and build again"
    )
    near = Changes({"gpu": "127.0.0.1"})
    assert refused(near, Peer("gpu", "192.0.2.2", 29400)) == [words.format("robot", "gpu", "127.0.0.1")]
    far = Changes({"gpu": "192.0.2.3"})
    peers = Peer("base", "192.0.2.3", 29500), Peer("gpu", "192.0.2.4", 29500)
    assert refused(far, *peers) == [words.format("base", "gpu", "192.0.2.3")]


def test_hosts_of_one_address_with_ports_of_their_own_are_no_clash() -> None:
    peers = Peer("base", "127.0.0.1", 29402), Peer("gpu", "127.0.0.1", 29405)
    assert find_reach(wiring(*peers), Changes(), {}).place("gpu", 29405) == "127.0.0.1:29405"


def test_hosts_that_listen_on_addresses_of_their_own_are_no_clash() -> None:
    reach = find_reach(wiring(PEERS[1]), Changes(listen="127.0.0.1"), {})
    assert reach.own_endpoint(29400) == "tcp://127.0.0.1:29400"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port-base", "abc"], "argument --port-base: `abc` is no port: give a number from 1 to 65535"),
        (["--port-base", "0"], "argument --port-base: `0` is no port: give a number from 1 to 65535"),
        (["--host-timeout", "soon"], "argument --host-timeout: `soon` is not a number of seconds, and not `off`"),
        (["--host-timeout", "nan"], "argument --host-timeout: `nan` is not a number of seconds, and not `off`"),
        (["--address", "gpu"], "argument --address: `gpu` is no HOST=ADDRESS, such as gpu=10.0.0.2"),
        (
            ["--listen", ""],
            "argument --listen: an empty text is no address: name one of this host, or leave the option out",
        ),
    ],
)
def test_options_that_cannot_be_are_told_in_a_sentence(arguments: list[str], words: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_link_options(parser)
    with pytest.raises(argparse.ArgumentError) as told:
        parser.parse_args(arguments)
    assert str(told.value) == words


def test_a_host_whose_name_is_not_known_yet_may_still_come() -> None:
    reach = find_reach(wiring(PEERS[0], Peer("gpu", "gpu.invalid", 29400)), Changes(), {})
    assert reach.unknown == ("gpu",)
    assert reach.endpoint("gpu", 29400) == "tcp://gpu.invalid:29400"


@pytest.mark.parametrize("address", ["a..b", LONG, "10.0.0.256", "two words", "gpu:29400"])
def test_what_can_be_no_name_is_told_at_once(address: str) -> None:
    (told,) = refused(Changes({"gpu": address}), Peer("gpu", "127.0.0.3", 29500))
    assert told == (
        f"error[DF831]: host `gpu` cannot be found: nothing is known of the address `{address}`\n"
        "hint: launch with `--address gpu=ADDRESS`, set `DORAFLOW_ADDRESS_GPU`, or put `address` under `hosts`"
    )


def test_zenoh_looks_a_name_up_but_once() -> None:
    there = FarNode("detector", "gpu", 29401, (InputWiring("image", "camera/image", 1),))
    over_zenoh = replace(wiring(Peer("gpu", "gpu.invalid", 29400)), far=(there,), fabric=Fabric())
    with pytest.raises(LaunchError, match=r"nothing is known of the address `gpu\.invalid`"):
        find_reach(over_zenoh, Changes(), {})


def test_a_variable_stands_for_one_host_only() -> None:
    peers = Peer("gpu-1", "127.0.0.2", 29500), Peer("gpu.1", "127.0.0.3", 29600)
    given = {"DORAFLOW_ADDRESS_GPU_1_DFE1F80E": "127.0.0.4", "DORAFLOW_ADDRESS_GPU_1_26372019": "127.0.0.5"}
    assert find_reach(wiring(*peers), Changes(), given).addresses == {"gpu-1": "127.0.0.4", "gpu.1": "127.0.0.5"}
    with pytest.raises(LaunchError) as told:
        find_reach(wiring(*peers), Changes(), {"DORAFLOW_ADDRESS_GPU_1": "127.0.0.4"})
    (finding,) = told.value.findings
    assert finding.text() == (
        "error[DF831]: `DORAFLOW_ADDRESS_GPU_1` is set, and could be meant for each of the hosts `gpu-1`, `gpu.1`\n"
        "hint: set `DORAFLOW_ADDRESS_GPU_1_DFE1F80E`, `DORAFLOW_ADDRESS_GPU_1_26372019` in its place"
    )


FALLBACK = tuple(Peer(host, "192.0.2.2", 29500 + place) for place, host in enumerate(["gpu-1", "gpu.1", "base"]))
FALLBACK = (*FALLBACK, Peer("gpu_1_dfe1f80e", "192.0.2.2", 29600))


def test_the_variable_of_a_host_may_be_the_short_one_of_another() -> None:
    given = {"DORAFLOW_ADDRESS_GPU_1_DFE1F80E": "127.0.0.4"}
    reach = find_reach(wiring(*FALLBACK), Changes(), given)
    assert [host for host, address in reach.addresses.items() if address == "127.0.0.4"] == ["gpu-1"]


def test_the_short_variable_of_a_host_that_reads_a_longer_one_is_told_with_that() -> None:
    with pytest.raises(LaunchError) as told:
        find_reach(wiring(*FALLBACK), Changes(), {"DORAFLOW_ADDRESS_BASE": "127.0.0.4"})
    (finding,) = told.value.findings
    assert finding.text() == (
        "error[DF831]: `DORAFLOW_ADDRESS_BASE` is set, and is not read for host `base`: names of other hosts come out "
        "alike, so all variables are longer\nhint: set `DORAFLOW_ADDRESS_BASE_CAE66217` in its place"
    )
    find_reach(wiring(*FALLBACK), Changes({"base": "127.0.0.5"}), {"DORAFLOW_ADDRESS_BASE": "127.0.0.4"})


def test_a_host_whose_address_the_command_line_gives_needs_no_variable() -> None:
    peers = Peer("gpu-1", "127.0.0.2", 29500), Peer("gpu.1", "127.0.0.3", 29600)
    given = {"DORAFLOW_ADDRESS_GPU_1": "127.0.0.4"}
    both = {"gpu-1": "127.0.0.5", "gpu.1": "127.0.0.6"}
    assert find_reach(wiring(*peers), Changes(both), given).addresses == both
    with pytest.raises(LaunchError) as told:
        find_reach(wiring(*peers), Changes({"gpu-1": "127.0.0.5"}), given)
    (finding,) = told.value.findings
    assert finding.text() == (
        "error[DF831]: `DORAFLOW_ADDRESS_GPU_1` is set, and could be meant for each of the hosts `gpu-1`, `gpu.1`\n"
        "hint: set `DORAFLOW_ADDRESS_GPU_1_26372019` in its place"
    )


def test_the_examples_of_variables_hold() -> None:
    assert doctest.testmod(address_variables).failed == 0
