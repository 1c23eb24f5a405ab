"""Which version is current: the switch in one step, the way back, and what of the older versions is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.deploy.remote.copying import WantedFile, differing
from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.place import (
    Record,
    Whole,
    moment,
    read_record,
    remove_unfinished,
    sync_folder,
    write_record,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from doraflow.deploy.remote.place import Place


def declare_whole(place: Place, name: str, python: str) -> None:
    """Note that a version is prepared to its end, to be run by `python`."""
    record = read_record(place)
    write_record(place, replace(record, whole={**record.whole, name: Whole(moment(), python)}))


def switch(place: Place, name: str, kept: int, running: Collection[str]) -> str:
    """Make a version the current one, keep `kept` others that were current before, and name the one before.

    Versions in `running` are kept in any case. Raises RemoteError if the version is not whole.
    """
    record, before = read_record(place), place.current()
    if name not in record.whole:
        raise RemoteError("DF876", f"the version {name} was not prepared to its end", "deploy again")
    order = (*(each for each in record.order if each != name), name)
    _point(place, name, record)
    stay = {*order[-kept - 1 :], *running}
    whole = {each: told for each, told in record.whole.items() if each in stay}
    fresh = Record(whole, tuple(each for each in order if each in whole))
    write_record(place, fresh)
    remove_unfinished(place, fresh)
    return before


def previous(place: Place) -> str:
    """Name the version that was current before, after its files have been read. Raises RemoteError if there is none."""
    record = read_record(place)
    if len(record.order) < 2:
        only = f"{place.current()} is the only version" if place.current() else "nothing was deployed"
        raise RemoteError("DF876", f"there is no version to go back to: {only}", "deploy the state that you want back")
    name = record.order[-2]
    wrong = differing(place.version(name), listed_files(place.version(name)))
    if wrong:
        raise RemoteError(
            "DF876",
            f"the version {name} is not as it was deployed: `{wrong[0]}` was changed or is missing",
            "deploy the state that you want back",
        )
    return name


def go_back(place: Place) -> tuple[str, str]:
    """Make the version current that was so before; give its name and the name of the one that was left."""
    name, record = previous(place), read_record(place)
    _point(place, name, record)
    write_record(place, replace(record, order=record.order[:-1]))
    return name, record.order[-1]


def listed_files(folder: Path) -> tuple[WantedFile, ...]:
    """Read which files a version has by its manifest. Raises RemoteError if that cannot be read."""
    try:
        rows = json.loads((folder / "MANIFEST.json").read_bytes())["files"]
        return tuple(WantedFile(str(path), str(row["sha256"]), 0, executable=False) for path, row in rows.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RemoteError("DF876", f"the version {folder.name} has no manifest", "deploy again") from None


def _point(place: Place, name: str, record: Record) -> None:
    """Let `current` lead to a version, and `venv` to its environment: what follows them needs to know no more."""
    environment = place.environment_of(record.whole[name].python) if name in record.whole else ""
    if environment:
        _lead(place.root / "venv", f"environments/{environment}")
    else:
        (place.root / "venv").unlink(missing_ok=True)
    _lead(place.root / "current", f"versions/{name}")
    sync_folder(place.root)


def _lead(link: Path, to: str) -> None:
    fresh = link.with_name(f".{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(to)
    fresh.replace(link)
