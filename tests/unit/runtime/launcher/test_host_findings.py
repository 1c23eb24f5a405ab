"""The words on other hosts: whom the start waits for, who did not come, and why one has no answer."""

from __future__ import annotations

import pytest
from doraflow_runtime.control.messages import HostState
from doraflow_runtime.fleet.clock import Estimate
from doraflow_runtime.fleet.membership import Host, Presence
from doraflow_runtime.fleet.messages import Beat
from doraflow_runtime.fleet.terms import Terms
from doraflow_runtime.launcher.host_findings import no_answer, not_come, waiting
from doraflow_runtime.launcher.neighbours import host_state

TERMS = Terms("robot", "s", "p", "tcp://*:29400", {"gpu": "tcp://10.0.0.2:29400", "base": "tcp://base:29400"})


def host(name: str, presence: Presence = "absent", *awaited: str) -> Host:
    beat = Beat("starting", awaited=awaited) if presence == "present" else None
    return Host(name, 0.0, presence, beat=beat, heard_at=7.0 if presence == "present" else 0.0)


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ([host("gpu")], "waiting for host `gpu` (90 s are left)"),
        ([host("gpu"), host("base", "lost")], "waiting for hosts `gpu`, `base` (90 s are left)"),
        ([host("gpu", "present", "eye", "arm")], "host `gpu` is there and waits for `eye`, `arm`"),
        (
            [host("gpu", "present"), host("base", "strange")],
            "waiting for host `base` (90 s are left); host `gpu` is there and waits",
        ),
    ],
)
def test_it_is_told_whom_the_start_waits_for(hosts: list[Host], words: str) -> None:
    assert waiting(hosts, 90.2) == words


def test_hosts_that_did_not_come_are_named_with_the_mend() -> None:
    finding = not_come([host("gpu"), host("base")], 120.0, TERMS)
    assert finding.text() == (
        "error[DF880]: hosts `gpu`, `base` did not come within 120 s, and the start waits for every host\n"
        "hint: start its launcher, `python launch_gpu.py`, and see that it reaches this host and is reached at "
        "tcp://10.0.0.2:29400; `--start-alone` starts this host without it"
    )


def test_hosts_of_whose_addresses_nothing_is_known_are_told_as_that() -> None:
    finding = not_come([host("gpu"), host("base")], 120.0, TERMS, ["base"])
    assert finding.text() == (
        "error[DF880]: hosts `gpu`, `base` did not come within 120 s, and the start waits for every host; "
        "nothing is known of the address `base`\n"
        "hint: launch with `--address base=ADDRESS`, set `DORAFLOW_ADDRESS_BASE`, or put `address` under `hosts`"
    )


def test_a_host_of_another_build_is_the_cause_where_there_is_one() -> None:
    finding = not_come([host("gpu"), host("base", "strange")], 120.0, TERMS)
    assert finding.code == "DF881"
    assert finding.message == "host `base` runs another build of this dataflow, so the start waited 120 s in vain"
    assert finding.help == "deploy the same bundle to all hosts"


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (None, "host `gpu` is none of the other hosts of this dataflow"),
        (host("gpu"), "host `gpu` has not come yet"),
        (host("gpu", "lost"), "host `gpu` is lost"),
        (host("gpu", "strange"), "host `gpu` runs another build of this dataflow"),
        (host("gpu", "ended"), "host `gpu` has ended"),
        (host("gpu", "present"), "host `gpu` did not answer within 3 s"),
    ],
)
def test_a_host_without_an_answer_is_told_with_why(known: Host | None, words: str) -> None:
    assert no_answer("gpu", known, 3.0).message == words


def test_a_host_is_shown_with_its_clock_and_its_silence() -> None:
    assert host_state(host("gpu"), None, 9.0) == HostState("gpu", "absent")
    shown = host_state(host("gpu", "present"), Estimate(-2_500_000, 300_000), 9.0)
    assert shown == HostState("gpu", "starting", -2500, 301, 2000)
