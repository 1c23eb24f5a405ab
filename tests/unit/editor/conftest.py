"""Texts with a cursor, written `‸`, and dataflows on the disk as an editor has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from doraflow.editor.positions import Place, Text
from doraflow.editor.schema import Kind, schema
from doraflow.editor.snapshot import take_snapshot
from doraflow.editor.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doraflow.editor.snapshot import Snapshot

CURSOR = "‸"


@dataclass(frozen=True)
class Opened:
    """A dataflow with a cursor in one of its files."""

    file: str
    place: Place
    snapshot: Snapshot
    text: str


def cut(text: str) -> tuple[str, Place]:
    """Take the cursor out of a text."""
    before, mark, after = text.partition(CURSOR)
    assert mark, "the text has no cursor"
    line = before.count("\n")
    return before + after, Text(before + after).place((line, len(before) - before.rfind("\n") - 1))


@pytest.fixture
def cursor() -> Callable[[str], tuple[str, Place]]:
    return cut


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(schema(Kind.DATAFLOW))


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Opened]:
    def open_(dataflow: str, **others: str) -> Opened:
        texts = {"dataflow.yml": dataflow, **{name.replace("__", "/") + ".yml": text for name, text in others.items()}}
        found: tuple[str, Place] | None = None
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if CURSOR in text:
                texts[name], place = cut(text)
                found = path.as_posix(), place
            path.write_text(texts[name], encoding="utf-8")
        snapshot = take_snapshot(tmp_path / "dataflow.yml", {})
        assert found is not None
        return Opened(*found, snapshot, texts[found[0].removeprefix(f"{tmp_path}/")])

    return open_
