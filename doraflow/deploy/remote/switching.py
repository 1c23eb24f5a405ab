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
    in_the_way,
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

VENV = "venv"
THROUGH_CURRENT = f"current/{VENV}"


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
    order = (*(each for each in _order(place, record) if each != name), name)
    write_record(place, replace(record, order=order))  # a cut leaves `current` at one of the last two
    _point(place, name, record)
    stay = {*order[-kept - 1 :], *running}
    whole = {each: told for each, told in record.whole.items() if each in stay}
    fresh = Record(whole, tuple(each for each in order if each in whole))
    write_record(place, fresh)
    remove_unfinished(place, fresh, running)
    return before


def previous(place: Place) -> str:
    """Name the version that was current before, after its files have been read. Raises RemoteError if there is none."""
    record = read_record(place)
    order = _order(place, record)
    if len(order) < 2:
        only = f"{place.current()} is the only version" if place.current() else "nothing was deployed"
        raise RemoteError("DF876", f"there is no version to go back to: {only}", "deploy the state that you want back")
    name = order[-2]
    wrong = differing(place.version(name), listed_files(place.version(name)))
    if wrong:
        raise RemoteError(
            "DF876",
            f"the version {name} is not as it was deployed: `{wrong[0]}` was changed or is missing",
            "deploy the state that you want back",
        )
    if _environment(place, name, record):
        refuse_folder_at_venv(place)
    return name


def go_back(place: Place) -> tuple[str, str]:
    """Make the version current that was so before; give its name and the name of the one that was left."""
    name, record = previous(place), read_record(place)
    before = place.current()
    _point(place, name, record)
    write_record(place, replace(record, order=_order(place, record)))
    return name, before


def listed_files(folder: Path) -> tuple[WantedFile, ...]:
    """Read which files a version has by its manifest. Raises RemoteError if that cannot be read."""
    try:
        rows = json.loads((folder / "MANIFEST.json").read_bytes())["files"]
        return tuple(WantedFile(str(path), str(row["sha256"]), 0, executable=False) for path, row in rows.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RemoteError("DF876", f"the version {folder.name} has no manifest", "deploy again") from None


def refuse_folder_at_venv(place: Place) -> None:
    """Raise a RemoteError for a folder where a link is to lead to the environment of the current version."""
    venv = place.root / VENV
    if venv.is_dir() and not venv.is_symlink():
        raise in_the_way(venv, "the version's environment goes there")


def _order(place: Place, record: Record) -> tuple[str, ...]:
    """Give the versions that were current, the present one last, also after a switch that was cut short."""
    name = place.current()
    if name in record.order:
        return record.order[: record.order.index(name) + 1]
    return (*record.order, name) if name in record.whole else record.order


def _environment(place: Place, name: str, record: Record) -> str:
    return place.environment_of(record.whole[name].python) if name in record.whole else ""


def _point(place: Place, name: str, record: Record) -> None:
    """Let `current` lead to a version whose own link leads to its environment: both change in one step."""
    environment = _environment(place, name, record)
    _adopt(place)
    _lead(place.version(name) / VENV, f"../../environments/{environment}" if environment else "")
    if environment:
        _lead(place.root / VENV, THROUGH_CURRENT)
    _lead(place.root / "current", f"versions/{name}")
    if not environment and _reads(place.root / VENV):
        _lead(place.root / VENV, "")  # it leads nowhere by now
    sync_folder(place.root)


def _adopt(place: Place) -> None:
    """Give the current version the environment that `venv` leads to by itself, as earlier deploys and hands left it."""
    to, current = _reads(place.root / VENV), place.current()
    if not to or to == THROUGH_CURRENT:
        return
    if current and place.version(current).is_dir():
        _lead(place.version(current) / VENV, to if to.startswith("/") else f"../../{to}")
        _lead(place.root / VENV, THROUGH_CURRENT)


def _reads(link: Path) -> str:
    return str(link.readlink()) if link.is_symlink() else ""


def _lead(link: Path, to: str) -> None:
    """Let a link lead to a place from one moment to the next; nowhere if it is empty."""
    if not to:
        link.unlink(missing_ok=True)
    elif _reads(link) != to:
        fresh = link.with_name(f".{link.name}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(to)
        fresh.replace(link)
    sync_folder(link.parent)
