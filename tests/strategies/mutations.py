"""One mutation of a dataflow: in its data, as by a slip of the mind, or in its text, as by a slip of the fingers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.strategies.dataflows import valid_flows, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.strategies.dataflows import Map, Value

_OTHER_VALUES: st.SearchStrategy[Value] = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        2.5,
        10**30,
        "",
        "x",
        "a/b",
        "dora/timer/millis/0",
        "{name}",
        [],
        ["x"],
        {},
        {"x": "y"},
        "~",
        "é",
    ]
)
_PIECES = [
    "\t",
    " ",
    ":",
    "- ",
    "\n",
    "'",
    '"',
    "[",
    "}",
    "&a ",
    "*a",
    "!x ",
    "#",
    "---\n",
    "? ",
    "|",
    "<<: ",
    "\x07",
    "\u2028",
    "%",
]


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    """Draw the text of a valid dataflow with one mutation."""
    flow = draw(valid_flows())
    if draw(st.booleans()):
        return written(_mutated(draw, flow))
    return _scratched(draw, written(flow))


def _mutated(draw: st.DrawFn, flow: Map) -> Map:
    mutant = copy.deepcopy(flow)
    holder, key = draw(st.sampled_from(list(_places(mutant))))
    how = draw(st.sampled_from(["drop", "misspell", "other", "twice"]))
    if isinstance(holder, list):
        assert isinstance(key, int)
        if how == "drop":
            del holder[key]
        elif how == "twice":
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = draw(_OTHER_VALUES)
        return mutant
    assert isinstance(key, str)
    if how == "other":
        holder[key] = draw(_OTHER_VALUES)
    else:
        value = holder[key] if how == "twice" else holder.pop(key)
        if how != "drop":
            holder[draw(_misspellings(key))] = value
    return mutant


@st.composite
def _misspellings(draw: st.DrawFn, word: str) -> str:
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from("aeiou_-/. x"))
    return draw(st.sampled_from([word[:place] + word[place + 1 :], word[:place] + letter + word[place:], word.upper()]))


def _scratched(draw: st.DrawFn, text: str) -> str:
    """Break the text itself: take a stretch out, put a piece in, or cut the end off."""
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 6)))
    how = draw(st.sampled_from(["out", "in", "cut", "instead"]))
    piece = draw(st.sampled_from(_PIECES))
    return {
        "out": text[:start] + text[end:],
        "in": text[:start] + piece + text[start:],
        "cut": text[:start],
        "instead": text[:start] + piece + text[end:],
    }[how]


def _places(value: Value) -> Iterator[tuple[list[Value] | dict[str, Value], int | str]]:
    """Walk through all places at which data can be changed."""
    waiting: list[Value] = [value]
    while waiting:
        holder = waiting.pop()
        pairs = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for key, inner in pairs:
            yield holder, key  # type: ignore[misc]  # a pair of a list and its index, or of a map and its key
            waiting.append(inner)
