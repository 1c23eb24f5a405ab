"""`doraflow keys`: the keys by which the hosts of a dataflow know one another."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from doraflow.cli.arguments import File, Inventory, Profile
from doraflow.cli.loudness import Commands
from doraflow.cli.outputs import (
    Output,
    OutputOption,
    TextOutput,
    TextOutputOption,
    show,
    show_json,
    tell_written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doraflow.keys.listing import KeyRow
    from doraflow.keys.pairs import Change

app = Commands(no_args_is_help=True, help="Make and look after the keys of the links between hosts.")


Keys: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="DIR",
        help="The folder of the keys, instead of `DORAFLOW_KEYS` or the one in the user's configuration.",
        show_default=False,
    ),
]
Ring: TypeAlias = Annotated[
    str,
    typer.Option(
        "--ring",
        "-r",
        metavar="NAME",
        help="The dataflow whose keys are meant, by its `name`; may be left out where there is one.",
        show_default=False,
    ),
]
Hosts: TypeAlias = Annotated[list[str], typer.Argument(metavar="HOST...", help="The hosts.", show_default=False)]


@app.callback()
def keys() -> None:
    """Make and look after the keys of the links between hosts.

    Example: doraflow keys make dataflow.yml
    """


@app.command("make")
def make(
    file: File,
    rotate: Annotated[bool, typer.Option("--rotate", help="Give hosts that have a pair a fresh one.")] = False,
    folder: Keys = None,
    inventory: Inventory = None,
    profile: Profile = None,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Make a pair of keys for each host of a dataflow; pairs that are there are kept.

    Example: doraflow keys make dataflow.yml
    """
    from doraflow_runtime.keys.folder import ring_folder

    from doraflow.cli.graph import graph_of
    from doraflow.keys.pairs import make_keys, rotate_keys

    graph = graph_of(file, inventory, profile)
    hosts = list(dict.fromkeys(node.host for node in graph.nodes))
    with _told():
        ring = ring_folder(graph.name, os.environ, folder)
        changes = make_keys(ring, hosts)
        kept = [change.host for change in changes if change.what == "kept"]
        if rotate and kept:
            rotated = {change.host: change for change in rotate_keys(ring, kept)}
            changes = [rotated.get(change.host, change) for change in changes]
        _tell(changes, ring, output)


@app.command("list")
def list_keys(
    output: OutputOption = Output.TABLE,
    ring: Ring = "",
    folder: Keys = None,
) -> None:
    """List the public keys of a ring by their fingerprints, with their ages.

    Example: doraflow keys list --output json
    """
    from doraflow.keys.listing import key_rows
    from doraflow.keys.rings import choose_ring

    with _told():
        found = choose_ring(ring, folder, os.environ)
        rows = key_rows(found)
    if output is Output.TABLE:
        _show(rows)
    else:
        show(output, [], {"folder": str(found), "keys": [dataclasses.asdict(row) for row in rows]})


@app.command("rotate")
def rotate(hosts: Hosts, ring: Ring = "", folder: Keys = None, output: TextOutputOption = TextOutput.TEXT) -> None:
    """Give hosts fresh pairs of keys; the old public keys stay admitted until they are retired.

    Example: doraflow keys rotate edge
    """
    from doraflow.keys.pairs import rotate_keys
    from doraflow.keys.rings import choose_ring

    with _told():
        found = choose_ring(ring, folder, os.environ)
        _tell(rotate_keys(found, hosts), found, output)


@app.command("retire")
def retire(hosts: Hosts, ring: Ring = "", folder: Keys = None, output: TextOutputOption = TextOutput.TEXT) -> None:
    """Let the old public keys of hosts be admitted no longer.

    Example: doraflow keys retire edge
    """
    from doraflow.keys.pairs import retire_keys
    from doraflow.keys.rings import choose_ring

    with _told():
        found = choose_ring(ring, folder, os.environ)
        _tell(retire_keys(found, hosts), found, output)


@app.command("export")
def export(
    host: Annotated[str, typer.Argument(metavar="HOST", help="The host.", show_default=False)],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write to.", show_default=False)],
    ring: Ring = "",
    folder: Keys = None,
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Write what one host needs to a folder, to be copied there: its secret key and the public keys of all.

    Example: doraflow keys export edge --to keys-of-edge
    """
    from doraflow.keys.exporting import export_keys
    from doraflow.keys.rings import choose_ring

    with _told():
        names = export_keys(choose_ring(ring, folder, os.environ), host, to)
    tell_written([to / name for name in names], output)


@app.command("check")
def check(ring: Ring = "", folder: Keys = None) -> None:
    """Find what keeps a host from using its keys: rights of others, damaged files, halves that do not match.

    Example: doraflow keys check --keys keys-of-edge
    """
    from doraflow.cli.operating import finish
    from doraflow.diagnostics import Sink
    from doraflow.keys.listing import faults, key_rows
    from doraflow.keys.rings import choose_ring

    sink = Sink()
    with _told():
        found = choose_ring(ring, folder, os.environ)
        for fault in faults(found):
            sink.error("DF852", fault.message, help=fault.mend)
        finish(sink)
        held = [row.host for row in key_rows(found) if row.has_secret and row.state == "present"]
    typer.echo(f"{found}: the keys of {', '.join(held)} can be used", err=True)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell keys that cannot be used as a finding, and exit."""
    from doraflow_runtime.keys.folder import KeyRingError

    from doraflow.cli.operating import finish
    from doraflow.diagnostics import Sink

    try:
        yield
    except KeyRingError as error:
        sink = Sink()
        sink.error("DF852", error.message, help=error.mend)
        finish(sink)


def _tell(changes: Sequence[Change], ring: Path, output: TextOutput) -> None:
    from doraflow.cli.loudness import Loudness, loudness

    if output is TextOutput.JSON:
        show_json({"folder": str(ring), "changes": [dataclasses.asdict(change) for change in changes]})
    elif loudness() is not Loudness.QUIET:
        for change in changes:
            typer.echo(f"{change.host}: {change.what}")
        typer.echo(f"keys lie in {ring}", err=True)


def _show(rows: Sequence[KeyRow]) -> None:
    head = ("HOST", "KEY", "FINGERPRINT", "AGE", "SECRET")
    cells = [head, *map(_cells, rows)]
    widths = [max(len(each[at]) for each in cells) for at in range(len(head))]
    for line in cells:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cells(row: KeyRow) -> tuple[str, ...]:
    return (row.host, row.state, row.fingerprint, f"{row.age_days} d", "here" if row.has_secret else "-")


@app.command("signing")
def signing(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The secret key to write; its public half is FILE.pub.", show_default=False
        ),
    ],
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Make a pair of keys that signs bundles, in minisign's format and without a password.

    Example: doraflow keys signing release.key
    """
    from doraflow.cli.operating import finish
    from doraflow.diagnostics import Sink
    from doraflow.signing.bundle import write_signing_pair

    sink = Sink()
    public = write_signing_pair(path, sink)
    finish(sink)
    if public is not None:
        tell_written([public], output)
