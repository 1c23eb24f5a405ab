"""Messages between launchers: written and read again, and whatever else comes is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from doraflow_runtime.fleet.messages import (
    LARGEST,
    Answer,
    Ask,
    Beat,
    Message,
    MessageError,
    NodeRow,
    Ping,
    Pong,
    Sender,
    StopNotice,
    Table,
    decode,
    encode,
    fit,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SENDER = Sender("gpu", "session", "plan", 7)


@pytest.mark.parametrize(
    "message",
    [
        Beat("starting", awaited=("a", "b")),
        Beat("running", True, (), 3, 2, "other", StopNotice("gpu", "SIGINT was received", "camera", True)),
        Table(1),
        Table(2, (NodeRow("camera", "ended", 1, "failed with exit code 3"), NodeRow("eye", "absent"))),
        Ping(123),
        Pong(1, 2, 3),
        Ask(1, "{}"),
        Answer(1, "{}"),
    ],
)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert decode(encode(SENDER, message)) == (SENDER, message)


def said(**changes: object) -> bytes:
    """Write a beat with other fields; those that are None are left out."""
    whole = {**json.loads(encode(SENDER, Beat("running"))), **changes}
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff", "a message that is not JSON"),
        (b"[]", "a message without `doraflow_fleet`"),
        (b'{"doraflow_fleet": true}', "a message without `doraflow_fleet`"),
        (said(doraflow_fleet=2), "a message of version 2; this launcher speaks 1"),
        (said(kind="dance"), "a message of an unknown kind"),
        (said(kind=None), "a message of an unknown kind"),
        (said(**{"from": None}), "from: expected an object, got NoneType"),
        (said(**{"from": {"host": "gpu"}}), "from: missing key `session`"),
        (said(phase="asleep"), "beat.phase: `asleep` is none of starting, ready, running, stopping, ended"),
        (said(more=1), "beat: unknown key `more`"),
        (said(revision=-1), "a number beyond its bounds"),
        (said(seen=2**63), "a number beyond its bounds"),
        (said(revision=True), "beat.revision: expected int, got bool"),
        (said(awaited=["a\x1b[2J"]), "a name that is too long or cannot be printed"),
        (said(seen_session="x" * 301), "a name that is too long or cannot be printed"),
        (said(stop={"host": "a", "reason": "b\nc"}), "a text that is too long or cannot be printed"),
        (encode(SENDER, Table(1, (NodeRow("a", "there"),) * 2)), "a table with too many nodes, or one of them twice"),
        (b" " * (LARGEST + 1), f"a message of {LARGEST + 1} bytes; at most {LARGEST} are allowed"),
        (b"[" * 100_000, "a message that is not JSON"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode(data)
    assert str(caught.value) == words


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["phase", "awaited", "revision", "seen", "stop", "nodes", "from", "kind", "id", "sent_ns", "doraflow_fleet"]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), st.sampled_from(["beat", "table", "ping", "ask"]))
def test_nothing_that_comes_does_more_than_be_refused(changes: dict[str, object], kind: str) -> None:
    data = json.dumps({**json.loads(said()), "kind": kind, **changes}).encode()
    try:
        sender, message = decode(data)
    except MessageError:
        return
    assert decode(encode(sender, message)) == (sender, message)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode(data)


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_a_text_that_was_fitted_is_taken(text: str) -> None:
    stop = StopNotice("gpu", fit(text))
    assert decode(encode(SENDER, Beat("stopping", stop=stop)))[1] == Beat("stopping", stop=stop)


PAGE = (Path(__file__).resolve().parents[4] / "docs/launcher-protocol.md").read_text()
SHOWN = [line for line in PAGE.splitlines() if line.startswith('{"doraflow_fleet"')]


@pytest.mark.parametrize("line", SHOWN)
def test_what_the_page_shows_is_read_and_written_as_it_stands(line: str) -> None:
    sender, message = decode(line.encode())
    assert encode(sender, message).decode() == line


def test_the_page_shows_every_kind_of_message() -> None:
    assert {json.loads(line)["kind"] for line in SHOWN} == {"beat", "table", "ping", "pong", "ask", "answer"}
