"""The words between launcher and warm process."""

from __future__ import annotations

import errno
import os

import pytest
from doraflow_runtime.warm.request import LARGEST_REQUEST, Request, answer, read_answer, unpack


@pytest.mark.parametrize(
    "request_",
    [
        Request(("python", "/a.py"), "/", 7),
        Request(("python", "-m", "x", "ü\udcff\n\0"), "/päth\udc80", 1, {"A": "", "B": "\udcfe=\n"}),
    ],
)
def test_a_request_is_read_as_it_was_written(request_: Request) -> None:
    assert unpack(request_.pack()) == request_


def test_a_request_that_no_datagram_holds_is_refused() -> None:
    with pytest.raises(OSError, match="Message too long") as caught:
        Request(("python", "x" * LARGEST_REQUEST), "/", 1).pack()
    assert caught.value.errno == errno.EMSGSIZE


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"arguments": [], "folder": 1, "launcher": 1}'])
def test_what_is_no_request_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(data)


def answered(number: int, error: int) -> bytes:
    reader, writer = os.pipe()
    try:
        answer(writer, number, error=error)
        return os.read(reader, 100)
    finally:
        os.close(reader)
        os.close(writer)


def test_an_answer_is_a_number_a_reason_or_nothing() -> None:
    assert read_answer(answered(4711, 0)) == 4711
    assert read_answer(b"") is None
    with pytest.raises(FileNotFoundError):
        read_answer(answered(0, errno.ENOENT))
