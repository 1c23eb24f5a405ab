"""What is asked of one host in a deploy, as typed calls over a channel; every fault is a DeployError."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.deploy.channel import Channel, LostError
from doraflow.deploy.errors import DeployError
from doraflow.deploy.reports import DeployedRun, DeployedVersion
from doraflow.deploy.sending import program
from doraflow.deploy.ssh import complaint, ssh_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.deploy.key_parcels import Handing
    from doraflow.deploy.shares import Share
    from doraflow.deploy.ssh import Way
    from doraflow.deploy.targets import Target
    from doraflow.ir import BuildStep

_GRACE = 5.0
"""Seconds on top of ssh's own limit for a connection, so that ssh is the one to tell why there is none."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a copy moves: how many files and bytes are sent, of how many in all.

    `name` is the version's folder on the host, the version's own name unless one of that name was changed by hand.
    """

    name: str
    files: int
    bytes: int
    all_files: int
    all_bytes: int
    is_there: bool = False
    before: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a host: versions as it tells them, the current one, and the runs that go on."""

    current: str
    versions: tuple[DeployedVersion, ...] = ()
    runs: tuple[DeployedRun, ...] = ()


@dataclass(slots=True)
class Session:
    """A connection to a host. Not thread-safe, but `abort` may be called from another thread."""

    target: Target
    way: Way
    folder: str = ""
    clock: float = 0.0
    channel: Channel | None = field(default=None, repr=False)
    is_aborted: bool = False

    def connect(self) -> None:
        """Log in, and start the host's half of the conversation."""
        command = ssh_command(self.target.destination, self.way)
        try:
            self.channel = Channel(command, self.way.seconds + _GRACE)
        except OSError as error:
            raise DeployError(
                "DF871",
                f"`{command[0]}` cannot be started here: {(error.strerror or str(error)).lower()}",
                "install the OpenSSH client, such as `apt install openssh-client`",
            ) from None
        if self.is_aborted:
            self.channel.abort()  # it came too early for a channel that was not there yet
        try:
            clock = self.channel.greet(program()).get("clock")
        except LostError as error:
            raise complaint(self.target.host, self.target.destination, self.way, error.code, error.said) from None
        self.clock = float(clock) if isinstance(clock, int | float) else 0.0

    def open(self, dataflow: str, *, changes: bool) -> None:
        """Name the folder; with `changes` it is made, locked until the end, and cleaned of half copies."""
        request = {"do": "open", "base": self.target.base, "dataflow": dataflow, "host": self.target.host}
        self.folder = str(self._ask({**request, "changes": changes})["folder"])

    def plan(self, share: Share, *, begin: bool = False) -> tuple[Moved, frozenset[str]]:
        """Ask what of a version must be sent; give the digests too."""
        table = share.table()
        told = self._ask({"do": "plan", "version": share.version, "files": table, "begin": begin})
        listed = told["needed"]
        needed = frozenset(map(str, listed)) if isinstance(listed, list) else frozenset()
        sent = {str(row["sha256"]): int(str(row["size"])) for row in table if row["sha256"] in needed}
        total = sum(int(str(row["size"])) for row in table)
        name, before = str(told["name"]), str(told["current"])
        moved = Moved(name, len(sent), sum(sent.values()), len(table), total, told["there"] is True, before)
        return moved, needed

    def copy(self, share: Share) -> Moved:
        """Bring a version to the host, where it is read back; what is there already is not sent."""
        moved, needed = self.plan(share, begin=True)
        if moved.is_there:
            return moved
        try:
            self._send_all(share, needed)
        except LostError as error:
            raise self._lost(error) from None
        self._hear()
        return moved

    def prepare(self, name: str, steps: Sequence[BuildStep], seconds: float, *, environment: bool) -> None:
        """Make the environment if asked, run build steps, and declare the version whole."""
        rows = [_row(step) for step in steps]
        request = {"do": "prepare", "version": name, "environment": environment, "steps": rows}
        self._ask({**request, "seconds": seconds})

    def look_at_keys(self, ring: str) -> tuple[str, dict[str, str]]:
        """Name the folder of the host's keys, and give the digests of those that lie there."""
        told = self._ask({"do": "look-at-keys", "ring": ring})
        there = told["there"]
        return str(told["folder"]), {str(k): str(v) for k, v in there.items()} if isinstance(there, dict) else {}

    def hand_keys(self, handing: Handing) -> None:
        """Write and remove keys as was decided, if what was looked at is still what is there."""
        request = {"do": "hand-keys", "ring": handing.parcel.ring, "there": dict(handing.there)}
        self._ask({**request, "put": handing.put, "take_away": list(handing.handed.removed)})

    def switch(self, version: str, keep: int) -> str:
        """Make a version the current one; name the one before."""
        return str(self._ask({"do": "switch", "version": version, "keep": keep})["before"])

    def previous(self) -> str:
        """Name the version to go back to, once its files have been read."""
        return str(self._ask({"do": "previous"})["version"])

    def go_back(self) -> str:
        """Make the version before the current one again; name the one that was left."""
        return str(self._ask({"do": "go-back"})["before"])

    def look_for_units(self, wish: str) -> None:
        """Make sure that no unit of systemd runs the dataflow there, whose run no `start` or `stop` here can meet."""
        self._ask({"do": "look-for-units", "wish": wish})

    def start(self, options: list[str], seconds: float) -> str:
        """Start the current version, in the place of what runs; name the run."""
        return str(self._ask({"do": "start", "options": options, "seconds": seconds})["run"])

    def stop(self, seconds: float) -> list[str]:
        """End what runs, and name it."""
        ended = self._ask({"do": "stop", "seconds": seconds})["ended"]
        return list(map(str, ended)) if isinstance(ended, list) else []

    def status(self) -> Standing:
        """Ask what stands there."""
        told = self._ask({"do": "status"})
        versions, runs = told["versions"], told["runs"]
        return Standing(
            str(told["current"]),
            tuple(DeployedVersion(**row) for row in versions) if isinstance(versions, list) else (),
            tuple(DeployedRun(**row) for row in runs) if isinstance(runs, list) else (),
        )

    def ping(self) -> None:
        """Let the host know that the deploy goes on elsewhere."""
        self._ask({"do": "ping"})

    def abort(self) -> None:
        """End the connection at once, also one that is still being made."""
        self.is_aborted = True
        if self.channel is not None:
            self.channel.abort()

    def close(self) -> None:
        """Hang up; the host lets its lock go."""
        if self.channel is not None:
            self.channel.close()

    def _send_all(self, share: Share, needed: frozenset[str]) -> None:
        """Send each content once, and the wish for an end; stops where the host refuses."""
        channel, waiting = self._channel(), set(needed)
        for file, row in zip(share.files, share.table(), strict=True):
            digest = str(row["sha256"])
            if digest in waiting:
                waiting.discard(digest)
                if not channel.send_file({"do": "file", "sha256": digest, "size": len(file.content)}, file.content):
                    return
        channel.send_file({"do": "finish"}, b"")

    def _channel(self) -> Channel:
        if self.channel is None:
            raise DeployError("DF871", f"`{self.target.host}` is not connected", "deploy again")
        return self.channel

    def _ask(self, request: Mapping[str, object]) -> dict[str, object]:
        try:
            return self._understood(self._channel().ask(request))
        except LostError as error:
            raise self._lost(error) from None

    def _hear(self) -> dict[str, object]:
        try:
            return self._understood(self._channel().answer())
        except LostError as error:
            raise self._lost(error) from None

    def _understood(self, told: dict[str, object]) -> dict[str, object]:
        match told:
            case {"done": {**done}}:
                return {str(key): value for key, value in done.items()}
            case {"refused": {"code": str(code), "message": str(message), "help": str(mend), "notes": [*notes]}}:
                raise DeployError(code, f"on `{self.target.host}`: {message}", mend, tuple(map(str, notes)))
        raise DeployError("DF871", f"`{self.target.host}` answered with something else than an answer", "deploy again")

    def _lost(self, error: LostError) -> DeployError:
        lines = [line.strip() for line in error.said.splitlines() if line.strip()]
        seconds = self.way.seconds + _GRACE
        reason = f"no word for {seconds:g} s" if error.code is None else (lines[-1] if lines else "it was closed")
        return DeployError(
            "DF871",
            f"the connection to `{self.target.host}` (`{self.target.destination}`) broke off: {reason.rstrip('.')}",
            "see to the network, and deploy again: what was copied by halves is removed then",
            tuple(lines[-8:-1]),
        )


def _row(step: BuildStep) -> dict[str, object]:
    return {
        "owner": step.owner,
        "commands": list(step.commands),
        "folder": step.working_directory,
        "environment": dict(step.env),
    }
