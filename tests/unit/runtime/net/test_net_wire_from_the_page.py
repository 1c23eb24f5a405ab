"""A decoder of links between hosts, written from docs/wire-format.md alone, reads every vector of them.

It shares no code with the runtime, so that a mistake in both would have to be made twice.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from doraflow_runtime.net import frames
from doraflow_runtime.net.frames import Hello, Stand
from doraflow_runtime.shm import wire

VECTORS = Path(__file__).parent.parent / "vectors" / "hosts"
PAGE = Path(__file__).parents[4] / "docs" / "wire-format.md"
RECORD = b"record"
SCHEMA = pa.schema([pa.field("", pa.int16())]).serialize().to_pybytes()


def body(content: bytes) -> bytes:
    return wire.MESSAGE.pack(-1, 0, len(RECORD), len(content)) + RECORD + content


WRITTEN = {
    "hello": frames.hello(Hello("vision", "camera", bytes(range(16)), (Stand(1, 7, 0), Stand(65535, 1, 0)))),
    "welcome": frames.welcome((Stand(1, 6, 16), Stand(65535, 0, 2**64 - 1))),
    "grant": frames.grant((Stand(1, 8, 24),)),
    "refused": frames.refused("`camera` is not of this host: é"),
    "records": b"".join(
        (
            frames.record(frames.type_frame(5, SCHEMA)),
            frames.message(1, 5, 0, 7, body(b"seven")),
            frames.message(1, 5, 0, 8, body(b"")),
            frames.record(wire.closed(65535)),
        )
    ),
    "beside": frames.message_beside(1, 5, wire.IN_SLOT, 9, body(wire.SLOT.pack(1, 2, 3, 4, 5)), 70_000),
    "pieces": frames.message_beside(
        1, 5, wire.IN_SLOT | frames.IN_PIECES, 10, body(wire.SLOT.pack(1, 2, 3, 4, 5)), 4_000_000
    )
    + frames.piece(1, 10),
}


def frame(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Take the frame at the front, by the table of kinds, and give the rest."""
    size, kind, flags, link, number = struct.unpack("<IBBHI", data[:12])
    body, rest = data[12 : 12 + size], data[12 + size :]
    assert len(body) == size
    readers = {1: hello, 2: schema, 3: message, 6: nothing, 16: stands, 17: stands, 18: reason, 19: nothing}
    return {"kind": kind, "flags": flags, "link": link, "number": number} | readers[kind](body), rest


def hello(body: bytes) -> dict[str, Any]:
    magic, version, dataflow, producer = struct.unpack("<4sHHH", body[:10])
    texts, links = body[26 : 26 + dataflow + producer], body[26 + dataflow + producer :]
    names = texts[:dataflow].decode(), texts[dataflow:].decode()
    return {"magic": magic, "version": version, "session": body[10:26], "names": names} | stands(links)


def stands(body: bytes) -> dict[str, Any]:
    return {"stands": list(struct.iter_unpack("<HQQ", body))}


def reason(body: bytes) -> dict[str, Any]:
    assert len(body) <= 300
    return {"reason": body.decode()}


def schema(body: bytes) -> dict[str, Any]:
    (field,) = pa.ipc.read_schema(pa.py_buffer(body))
    return {"type": str(field.type)}


def message(body: bytes) -> dict[str, Any]:
    sent, metadata, record, content = struct.unpack("<qIII", body[:20])
    assert metadata == 0
    rest = body[20 + record :]
    beside = content - len(rest)
    assert beside in (0, content)
    return {"sent": sent, "record": body[20 : 20 + record], "content": rest, "beside": beside}


def nothing(body: bytes) -> dict[str, Any]:
    assert body == b""
    return {}


def records(data: bytes) -> list[tuple[int, dict[str, Any]]]:
    found = []
    while data:
        (number,) = struct.unpack("<Q", data[:8])
        read, data = frame(data[8:])
        found.append((number, read))
    return found


def vector(name: str) -> bytes:
    return bytes.fromhex((VECTORS / f"{name}.hex").read_text())


@pytest.mark.parametrize("name", WRITTEN)
def test_the_runtime_writes_the_vector(name: str) -> None:
    assert WRITTEN[name].hex() == vector(name).hex()


def test_every_vector_stands_on_the_page_and_is_written_here() -> None:
    assert {path.stem for path in VECTORS.glob("*.hex")} == set(WRITTEN)
    page = PAGE.read_text()
    assert [name for name in WRITTEN if f"`hosts/{name}.hex`" not in page] == []


def test_the_greeting_and_its_answer_are_read_from_the_page() -> None:
    head = {"kind": 1, "flags": 0, "link": 0, "number": 0, "magic": b"DFLN", "version": 3}
    assert frame(vector("hello")) == (
        head | {"session": bytes(range(16)), "names": ("vision", "camera"), "stands": [(1, 7, 0), (65535, 1, 0)]},
        b"",
    )
    answer = {"kind": 16, "flags": 0, "link": 0, "number": 0, "stands": [(1, 6, 16), (65535, 0, 2**64 - 1)]}
    assert frame(vector("welcome")) == (answer, b"")


def test_what_the_reader_says_later_is_read_from_the_page() -> None:
    head = {"flags": 0, "link": 0, "number": 0}
    assert frame(vector("grant")) == (head | {"kind": 17, "stands": [(1, 8, 24)]}, b"")
    assert frame(vector("refused")) == (head | {"kind": 18, "reason": "`camera` is not of this host: é"}, b"")


def test_records_are_read_from_the_page() -> None:
    of_link = {"kind": 3, "flags": 0, "link": 1, "number": 5, "sent": -1, "record": RECORD}
    assert records(vector("records")) == [
        (0, {"kind": 2, "flags": 0, "link": 0, "number": 5, "type": "int16"}),
        (7, of_link | {"content": b"seven", "beside": 0}),
        (8, of_link | {"content": b"", "beside": 0}),
        (0, {"kind": 6, "flags": 0, "link": 65535, "number": 0}),
    ]
    assert records(vector("beside")) == [(9, of_link | {"content": b"", "beside": 70_000})]
    assert records(vector("pieces")) == [
        (10, of_link | {"flags": 4, "content": b"", "beside": 4_000_000}),
        (10, {"kind": 19, "flags": 0, "link": 1, "number": 0}),
    ]
