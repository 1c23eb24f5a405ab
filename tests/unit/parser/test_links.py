"""`communication` and the formats of messages: forms and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.parser.conftest import Findings

FLOW = "nodes: [{id: a, path: a.py}]\n"

PLAIN_TEXT = (
    "`insecure` is set: messages between hosts travel in plain text, and whoever reaches their ports can read them, "
    "send others, and stop nodes"
)

OVER_ZENOH = (
    "messages between hosts travel over zenoh in plain text, and whoever reaches their ports can read them, send "
    "others, and stop nodes"
)

LINKS = {
    "communication: {local: shm, remote: zeromq}": [],
    "communication: {local: {transport: shm}, remote: {port_range: 40000-40100}}": [],
    "communication: {remote: {transport: zenoh}}": [f"DF524 2:37-42 {OVER_ZENOH}"],
    "communication: {remote: zenoh}": [f"DF524 2:25-30 {OVER_ZENOH}"],
    "communication: {remote: {transport: zenoh, protocol: tls, config: z.json5}}": [],
    "communication: {remote: {transport: zenoh, mode: client, connect: [tls/router:7447]}}": [],
    "communication: {remote: {transport: zenoh, mode: client, connect: [tls/a:1, tcp/b:2]}}": [
        f"DF524 2:37-42 {OVER_ZENOH}"
    ],
    "communication: {remote: {transport: zenoh, protocol: tls, config: z.json5, connect: [tcp/b:2]}}": [
        f"DF524 2:37-42 {OVER_ZENOH}"
    ],
    "communication: {remote: {transport: zenoh, mode: client, insecure: true}}": [
        "DF523 2:50-56 `mode: client` has no endpoint in `connect`, so nodes would wait for a router that nobody names",
        f"DF853 2:58-66 {PLAIN_TEXT}",
    ],
    "communication: {remote: {transport: zenoh, protocol: tls}}": [
        "DF525 2:54-57 `protocol: tls` has no `config` beside it, and without certificates no connection is made"
    ],
    "communication: {remote: {transport: zenoh, insecure: true, connect: [router:7447]}}": [
        f"DF853 2:44-52 {PLAIN_TEXT}",
        "DF522 2:70-81 `router:7447` is no endpoint of zenoh",
    ],
    "communication: {remote: {transport: zenoh, insecure: true, connect: tcp/router:7447}}": [
        f"DF853 2:44-52 {PLAIN_TEXT}",
        "DF103 2:69-84 `connect` is a text, expected a list",
    ],
    "communication:": [],
    "communication: {local: , remote: {}}": [],
    "communication: {local: zeromq}": ["DF112 2:24-30 `local` is `zeromq`, expected one of `shm`"],
    "communication: {remote: zeromk}": ["DF112 2:25-31 `remote` is `zeromk`, expected one of `zeromq`, `zenoh`"],
    "communication: {remote: {port_range: 4}}": ["DF125 2:38-39 `port_range` is `4`, which is no range of ports"],
    "communication: {remote: {port_range: 9-4}}": ["DF125 2:38-41 `port_range` is `9-4`, which ends before it begins"],
    "communication: {remote: {port_range: 0-4}}": [
        "DF104 2:38-41 `port_range` holds the port `0`, expected one of 1 to 65535"
    ],
    "communication: {remote: {transport: zenoh, port_range: 4-9, insecure: true}}": [f"DF853 2:61-69 {PLAIN_TEXT}"],
    "communication: {remote: {transport: zeromq, mode: peer, config: z.json5}}": [
        "DF126 2:45-49 `mode` is an option of `zenoh`, and the transport is `zeromq`"
    ],
    "communication: {remote: {connect: []}}": [
        "DF126 2:26-33 `connect` is an option of `zenoh`, and the transport is `zeromq`"
    ],
    "communication: {remote: {transprt: zenoh}}": ["DF101 2:26-34 a remote link has no key `transprt`"],
    "communication: {remote: {insecure: false}}": [],
    "communication: {remote: {insecure: true}}": [f"DF853 2:26-34 {PLAIN_TEXT}"],
    "communication: {remote: {transport: zenoh, insecure: true}}": [f"DF853 2:44-52 {PLAIN_TEXT}"],
    "communication: {remote: {insecure: 1}}": ["DF103 2:36-37 `insecure` is a number, expected `true` or `false`"],
    "default_data_format: avro": [],
    "default_data_format: avor": [
        "DF112 2:22-26 `default_data_format` is `avor`, expected one of `avro`, `arrow`, `capnp`, `flatbuffers`"
    ],
}


@pytest.mark.parametrize("text", LINKS)
def test_links_and_formats_are_judged(text: str, found: Findings) -> None:
    assert found(f"{FLOW}{text}\n") == LINKS[text]


def test_a_format_has_no_effect_on_a_node_that_a_module_stands_in_for(found: Findings) -> None:
    assert found("nodes:\n  - {id: a, module: m.yml, data_format: arrow}\n")[-1] == (
        "DF109 2:28-39 `data_format` has no effect beside `module`"
    )
