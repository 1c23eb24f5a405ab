"""What stands where after a deploy, or now: rows for people and for scripts; docs/deploy.md names the keys."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class HandedKeys:
    """The key files that a deploy wrote on a host, or would write: new ones, and those in the place of others.

    `removed` are those of keys that were retired. All three are empty where everything is as it should be.
    """

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostReport:
    """A host after a deploy.

    `state` is `deployed` (the version is current), `unchanged` (it was so already), `copied` (it lies there, and is not
    current), `untouched`, `planned` (of a dry run), `stopped` (what ran is ended, and nothing runs now) or `failed`.
    `version` is the current one as far as it is known, `before` the one before it. `sent_files` and `sent_bytes` are
    what moved, `files` and `bytes` what a version has in all. `reason` tells why a host is not as it was asked for.
    `keys` is None if no keys were to be handed over.
    """

    host: str
    destination: str
    state: str
    version: str | None = None
    before: str | None = None
    sent_files: int = 0
    sent_bytes: int = 0
    files: int = 0
    bytes: int = 0
    run: str | None = None
    reason: str | None = None
    keys: HandedKeys | None = None


@dataclass(frozen=True, slots=True)
class DeployedVersion:
    """A version that lies on a host whole: since when, in UTC, and the Python there that runs it."""

    version: str
    deployed: str
    python: str


@dataclass(frozen=True, slots=True)
class DeployedRun:
    """A run that goes on; `process` is its launcher's, `started` is in UTC; `unit` is systemd's, if any."""

    run: str
    version: str
    process: int
    started: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class HostStatus:
    """What stands on a host now; only `reason` is known of one that was not `reached`."""

    host: str
    destination: str
    reached: bool
    folder: str | None = None
    current: str | None = None
    versions: tuple[DeployedVersion, ...] = ()
    runs: tuple[DeployedRun, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DeployReport:
    """What a deploy did, or would do, host by host."""

    version: int
    dataflow: str
    hosts: tuple[HostReport, ...]


@dataclass(frozen=True, slots=True)
class DeployStatus:
    """What stands and runs, host by host."""

    version: int
    dataflow: str
    hosts: tuple[HostStatus, ...]


def lines_of(report: DeployReport | DeployStatus) -> list[str]:
    """Write a report for people: a line for each host, or a host with its versions and runs below it."""
    width = max((len(row.host) for row in report.hosts), default=0)
    lines = []
    for row in report.hosts:
        lines += _status_lines(row) if isinstance(row, HostStatus) else [f"{row.host:<{width}}  {_words(row)}"]
    return lines


def keys_text(keys: HandedKeys) -> str:
    """Tell what becomes of the keys of a host.

    >>> keys_text(HandedKeys(("a.secret", "a.public"), ("b.public",))), keys_text(HandedKeys())
    ('a.secret, a.public added; b.public replaced', 'as they were')
    """
    parts = {"added": keys.added, "replaced": keys.replaced, "removed": keys.removed}
    return "; ".join(f"{', '.join(names)} {what}" for what, names in parts.items() if names) or "as they were"


def counted_bytes(number: int) -> str:
    """Write a number of bytes.

    >>> counted_bytes(999), counted_bytes(1_234_567)
    ('999 B', '1.2 MB')
    """
    if number < 1000:
        return f"{number} B"
    value, unit = number / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"


def _words(row: HostReport) -> str:
    return _state_words(row) + (f"; keys: {keys_text(row.keys)}" if row.keys is not None else "")


def _state_words(row: HostReport) -> str:
    moved = f"{row.sent_files} of {row.files} files, {counted_bytes(row.sent_bytes)} of {counted_bytes(row.bytes)}"
    before = f", before it {row.before}" if row.before and row.before != row.version else ""
    runs = f", runs as {row.run}" if row.run else f"; {row.reason}" if row.reason else ""
    stays = f"{row.before} stays current" if row.before else "nothing is current"
    match row.state:
        case "deployed":
            return f"{row.version} is current{before}{runs}"
        case "unchanged":
            return f"{row.version} was current already{runs}"
        case "copied":
            return f"{row.version} is copied and not current: {row.reason}; {stays}"
        case "planned":
            return f"{row.version} would be current{before}; {moved} would be sent"
        case "stopped":
            return f"{row.version} is current{before}; {row.reason}" if row.version else f"{row.reason}"
        case "untouched":
            return f"untouched: {row.reason}"
    return f"failed: {row.reason}"


def _status_lines(row: HostStatus) -> list[str]:
    if not row.reached:
        return [f"{row.host}: not reached"]
    lines = [f"{row.host}: {row.folder}" if row.versions else f"{row.host}: nothing is deployed"]
    for version in row.versions:
        mark = "current" if version.version == row.current else "kept"
        lines.append(f"  {version.version}  {mark:<7}  deployed {version.deployed}")
    return [*lines, *map(_run_line, row.runs)]


def _run_line(run: DeployedRun) -> str:
    line = f"  {run.version}  runs as {run.run}, process {run.process}"
    return f"{line}, in the unit {run.unit}" if run.unit else line
