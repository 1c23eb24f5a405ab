"""Answers to ZAP requests, and how often a stranger is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import zmq
from doraflow_runtime.keys.ring import read_ring
from doraflow_runtime.net.admission import MOST_ADDRESSES, Admission, Refusals
from zmq.utils import z85

if TYPE_CHECKING:
    from tests.unit.runtime.net.conftest import Keys


def request(key: bytes = b"\0" * 32, domain: bytes = b"doraflow", mechanism: bytes = b"CURVE") -> list[bytes]:
    return [b"1.0", b"7", domain, b"10.0.0.9", b"", mechanism, key]


def test_a_known_key_is_answered_with_the_name_of_its_host(keys: Keys) -> None:
    ring = read_ring(keys.folder, "edge")
    raw = z85.decode(ring.keys_of("gpu")[0])
    answer = Admission(ring, lambda _: None).answer(request(raw))
    assert answer == [b"1.0", b"7", b"200", b"OK", b"gpu", b""]


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        (request(), b"400", "refused a connection from 10.0.0.9: its key is in no ring of this host"),
        (request(domain=b""), b"400", "refused a connection from 10.0.0.9: it does not use CURVE"),
        (request(mechanism=b"NULL"), b"400", "refused a connection from 10.0.0.9: it does not use CURVE"),
        (request(key=b"short"), b"400", "refused a connection from 10.0.0.9: its key is damaged"),
        (request()[:6], b"400", "refused a connection from 10.0.0.9: its key is damaged"),
        ([b"2.0", *request()[1:]], b"500", None),
        ([b"1.0"], b"500", None),
        ([], b"500", None),
    ],
)
def test_everything_else_is_refused(keys: Keys, asked: list[bytes], status: bytes, told: str | None) -> None:
    log: list[str] = []
    answer = Admission(read_ring(keys.folder, "edge"), log.append).answer(asked)
    assert (len(answer), answer[2]) == (6, status)
    assert log == ([told] if told else [])


def test_no_log_line_holds_a_key(keys: Keys) -> None:
    log: list[str] = []
    public, _ = zmq.curve_keypair()
    Admission(read_ring(keys.folder, "edge"), log.append).answer(request(z85.decode(public)))
    assert public.decode() not in log[0]


def test_an_address_is_told_of_once_a_minute_with_the_count_of_the_rest() -> None:
    log: list[str] = []
    now = [0.0]
    refusals = Refusals(log.append, lambda: now[0])
    for at in (0.0, 1.0, 59.0, 60.0, 61.0):
        now[0] = at
        refusals.refuse("10.0.0.9", "no key")
    refusals.refuse("10.0.0.10", "no key")
    assert log == [
        "refused a connection from 10.0.0.9: no key",
        "refused a connection from 10.0.0.9: no key; 2 more were refused since the last report",
        "refused a connection from 10.0.0.10: no key",
    ]


def test_the_table_of_addresses_is_bounded() -> None:
    refusals = Refusals(lambda _: None, lambda: 0.0)
    for number in range(3 * MOST_ADDRESSES):
        refusals.refuse(f"10.0.{number // 256}.{number % 256}", "no key")
    assert len(refusals._told) == MOST_ADDRESSES


def test_an_address_steers_no_terminal(keys: Keys) -> None:
    log: list[str] = []
    asked = request()
    asked[3] = b"\x1b[2Jevil\n"
    Admission(read_ring(keys.folder, "edge"), log.append).answer(asked)
    assert log == ["refused a connection from ?[2Jevil?: its key is in no ring of this host"]
