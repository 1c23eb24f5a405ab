"""The rules for the ids of nodes, operators and ports, and what to say about an id that breaks them.

They are dora's rules; whether an id is known or stands twice is judged in `doraflow.analysis`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

RESERVED_NODE_ID = "dora"

_ILLEGAL_IN_ID = re.compile(r"[^A-Za-z0-9_.-]")
_ILLEGAL_IN_PORT = re.compile(r"[^A-Za-z0-9_./-]")
_ILLEGAL_RUN = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Illegal:
    """Why an id is illegal, and a legal one near to it if there is any."""

    message: str
    legal: str | None = None


def judge_node_id(text: str) -> Illegal | None:
    """Judge a node's id; None if it is legal.

    >>> judge_node_id("front/camera").legal
    'front_camera'
    """
    if text == RESERVED_NODE_ID:
        return Illegal("`dora` is reserved for timers and logs, and no node can have this id")
    if text.startswith("."):
        return Illegal(f"`{text}` is not a node id: it begins with `.`", _legal(text))
    return _judge(text, "a node id", _ILLEGAL_IN_ID)


def judge_operator_id(text: str) -> Illegal | None:
    """Judge an operator's id; None if it is legal."""
    return _judge(text, "an operator id", _ILLEGAL_IN_ID)


def judge_port_id(text: str) -> Illegal | None:
    """Judge the id of an input or output, which may hold slashes; None if it is legal."""
    if text and not all(text.split("/")):
        return Illegal(f"`{text}` is not a port id: nothing stands before, after or between its slashes", _legal(text))
    return _judge(text, "a port id", _ILLEGAL_IN_PORT)


def _judge(text: str, what: str, illegal: re.Pattern[str]) -> Illegal | None:
    found = illegal.search(text)
    if found is None:
        return None if text else Illegal(f"{what} is empty")
    if found[0] == "/":
        reason = "it holds `/`, which separates a node from its output"
    else:
        reason = f"it holds `{found[0]}`, and only letters, digits, `_`, `-` and `.` are allowed"
    return Illegal(f"`{text}` is not {what}: {reason}", _legal(text))


def _legal(text: str) -> str | None:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "_".join(part for part in _ILLEGAL_RUN.split(plain) if part).lstrip(".") or None
