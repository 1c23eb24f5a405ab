"""The conversation on the host: requests and answers are JSON, one a line, and a file's bytes follow its request.

It ends when the other side hangs up or says nothing for a minute: the lock is let go, and half a copy removed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.deploy.remote import commands, copying, keys, place, runs, switching, units
from doraflow.deploy.remote.errors import RemoteError, folder_error
from doraflow.deploy.remote.streams import HungUpError, Incoming, Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doraflow.deploy.remote.place import Place

GREETING = b"doraflow-deploy "


@dataclass(slots=True)
class Conversation:
    """What one deploy does here: its folder and lock, and the copy that is under way."""

    incoming: Incoming
    outgoing: Outgoing
    mask: int
    at: Place | None = None
    dataflow: str = ""
    host: str = ""
    copy: copying.Copy | None = None

    @property
    def place(self) -> Place:
        """The folder that the deploy is about. Raises RemoteError before it was named."""
        if self.at is None:
            raise RemoteError("DF875", "no folder was named", "use one version of doraflow")
        return self.at

    def bounds(self, request: Mapping[str, object]) -> commands.Bounds:
        """Give the bounds for commands that a request runs."""
        return commands.Bounds(float(str(request["seconds"])), self.mask, self.outgoing.beat)

    def drop_copy(self) -> None:
        """Remove what was copied so far; where that cannot be, the next deploy does it."""
        half, self.copy = self.copy, None
        if half is not None and half.folder.exists():
            with suppress(OSError):
                place.remove(half.folder)


def serve() -> None:
    """Greet, and answer requests until the other side hangs up. Ends the process."""
    mask = os.umask(0o077)
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not come between the answers
    incoming = Incoming(0)
    talk = Conversation(incoming, Outgoing(answers, incoming), mask)
    try:
        talk.outgoing.answer({"python": sys.version.split()[0], "clock": time.time()}, b"\n" + GREETING)
        while True:
            _carry_out(talk, json.loads(incoming.line()))
    except HungUpError:
        talk.drop_copy()
        talk.outgoing.close()


def _carry_out(talk: Conversation, request: dict[str, object]) -> None:
    kind = str(request["do"])
    try:
        done = REQUESTS[kind](talk, request)
    except RemoteError as error:
        _refuse(talk, error)
    except OSError as error:
        _refuse(talk, folder_error(error, talk.place.root))
    else:
        if done is not None:
            talk.outgoing.answer({"done": done})
        return
    if kind == "file":
        raise HungUpError  # what still comes in are bytes of files, and no requests


def _refuse(talk: Conversation, error: RemoteError) -> None:
    talk.drop_copy()
    told = {"code": error.code, "message": str(error), "help": error.help, "notes": list(error.notes)}
    talk.outgoing.answer({"refused": told})


def _open(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    """Name the folder; with `changes` it is made, locked and cleaned."""
    talk.dataflow, talk.host = str(request["dataflow"]), str(request["host"])
    talk.at = place.place_of(str(request["base"]), talk.dataflow, talk.host)
    if request["changes"] is True:
        place.make(talk.place)
        place.lock(talk.place)
        place.remove_unfinished(talk.place, place.read_record(talk.place), _running(talk))
    return {"folder": str(talk.place.root)}


def _plan(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    """Say what of a version must be sent; with `begin` its copy begins."""
    rows = request["files"]
    files = copying.wanted_files(rows if isinstance(rows, list) else [])
    version, current = str(request["version"]), talk.place.current()
    found = copying.intact(talk.place, place.read_record(talk.place), version, files)
    if found:
        return {"there": True, "name": found, "current": current, "needed": []}
    copy = copying.look(talk.place, copying.free_name(talk.place, version), files, talk.outgoing.beat)
    needed = list(copy.missing())
    if request["begin"] is True:
        talk.copy = copy
        copying.begin(copy)
    return {"there": False, "name": copy.name, "current": current, "needed": needed}


def _file(talk: Conversation, request: Mapping[str, object]) -> None:
    copying.take(_under_way(talk), str(request["sha256"]), int(str(request["size"])), talk.incoming.read)


def _finish(talk: Conversation, _request: Mapping[str, object]) -> dict[str, object]:
    copying.finish(_under_way(talk), talk.place, talk.outgoing.beat)
    talk.copy = None
    return {}


def _under_way(talk: Conversation) -> copying.Copy:
    if talk.copy is None:
        raise RemoteError("DF876", "no copy is under way", "deploy again")
    return talk.copy


def _prepare(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    """Make the environment, run the build steps, and note that the version is whole."""
    name, bounds = str(request["version"]), talk.bounds(request)
    version = talk.place.version(name)
    known = place.read_record(talk.place).whole.get(name)
    # A version that is whole keeps what it was prepared with: it may be running from it.
    python = known.python if known is not None and Path(known.python).exists() else sys.executable
    if request["environment"] is True or talk.place.environment_of(python):
        switching.refuse_folder_at_venv(talk.place)
    if request["environment"] is True:
        python = commands.environment(talk.place, version, bounds)
    rows = request["steps"]
    commands.build(version, [_step(row) for row in rows] if isinstance(rows, list) else [], python, bounds)
    switching.declare_whole(talk.place, name, python)
    return {"python": python}


def _step(row: Mapping[str, object]) -> commands.Step:
    lines, env = row["commands"], row["environment"]
    return commands.Step(
        str(row["owner"]),
        tuple(map(str, lines)) if isinstance(lines, list) else (),
        str(row["folder"]),
        _texts(env),
    )


def _look_at_keys(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    folder = keys.folder_of(str(request["ring"]), os.environ)
    return {"folder": str(folder), "there": keys.look(folder, talk.host)}


def _hand_keys(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    folder, names = keys.folder_of(str(request["ring"]), os.environ), request["take_away"]
    taken = list(map(str, names)) if isinstance(names, list) else []
    keys.change(folder, talk.host, _texts(request["there"]), _texts(request["put"]), taken)
    return {}


def _texts(table: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in table.items()} if isinstance(table, dict) else {}


def _running(talk: Conversation) -> list[str]:
    """Name the versions that run, also in units of systemd."""
    return [run.version for run in runs.find(talk.place, units.run_folders(talk.dataflow, talk.host))]


def _switch(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    before = switching.switch(talk.place, str(request["version"]), int(str(request["keep"])), _running(talk))
    return {"before": before}


def _previous(talk: Conversation, _request: Mapping[str, object]) -> dict[str, object]:
    return {"version": switching.previous(talk.place)}


def _go_back(talk: Conversation, _request: Mapping[str, object]) -> dict[str, object]:
    name, before = switching.go_back(talk.place)
    return {"version": name, "before": before}


def _look_for_units(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    units.refuse_unit(talk.dataflow, talk.host, str(request["wish"]), talk.outgoing.beat)
    return {}


def _start(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    options = request["options"]
    words = list(map(str, options)) if isinstance(options, list) else []
    seconds = float(str(request["seconds"]))
    ended = runs.stop(talk.place, seconds, talk.outgoing.beat)
    run = runs.start(talk.place, talk.host, words, seconds, talk.mask, talk.outgoing.beat)
    return {"run": run, "ended": [each.run for each in ended]}


def _stop(talk: Conversation, request: Mapping[str, object]) -> dict[str, object]:
    ended = runs.stop(talk.place, float(str(request["seconds"])), talk.outgoing.beat)
    return {"ended": [each.run for each in ended]}


def _status(talk: Conversation, _request: Mapping[str, object]) -> dict[str, object]:
    record = place.read_record(talk.place)
    found = runs.find(talk.place, units.run_folders(talk.dataflow, talk.host))
    return {
        "current": talk.place.current(),
        "versions": [{"version": name, **asdict(whole)} for name, whole in record.whole.items()],
        "runs": [asdict(run) for run in found],
    }


def _ping(_talk: Conversation, _request: Mapping[str, object]) -> dict[str, object]:
    return {}


REQUESTS: Mapping[str, Callable[[Conversation, Mapping[str, object]], dict[str, object] | None]] = MappingProxyType(
    {
        "open": _open,
        "plan": _plan,
        "file": _file,
        "finish": _finish,
        "prepare": _prepare,
        "look-at-keys": _look_at_keys,
        "hand-keys": _hand_keys,
        "switch": _switch,
        "previous": _previous,
        "go-back": _go_back,
        "look-for-units": _look_for_units,
        "start": _start,
        "stop": _stop,
        "status": _status,
        "ping": _ping,
    }
)
