"""Commands that say what they said before, as long as nothing changed that decides it.

A result rests on its key (see `doraflow.cli.fingerprint`), on the answers of the disk that led to it, and that of a
build on the bundle. It is kept as it was written, so that nobody can tell it from a new one. Nothing heavy is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.cli.entries import Entry, load, store
from doraflow.cli.overheard import overheard, say
from doraflow.disk import recorded, still_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doraflow.disk import Answers


def recall(key: str) -> int | None:
    """Say what was said under a key, if it holds, and give its exit code; else None, and nothing is said."""
    entry = load(key)
    match entry:
        case Entry(table={"code": int(code), "answers": {**answers}} as table, texts=(output, errors)):
            if not still_hold(_answers(answers)):
                return None
            if "build" in table:
                from doraflow.cli.standing import recall_build

                return recall_build(key, entry)
            say(output, errors)
            return code
    return None


def kept(key: str | None, run: Callable[[], int]) -> int:
    """Run, and keep what is said under a key; give the exit code."""
    if key is None:
        return run()
    with recorded() as record, overheard() as said:
        code = run()
    if record.is_steady:
        store(key, Entry({"code": code, "answers": record.answers}, said.texts()))
    return code


def _answers(table: Mapping[object, object]) -> Answers:
    kinds = ((str(kind), places) for kind, places in table.items() if isinstance(places, dict))
    return {kind: {str(place): str(answer) for place, answer in places.items()} for kind, places in kinds}
