"""The command line that every comparison has: which peers, kinds and sizes, how many rounds, and where figures go.

What is compared is a `Comparison`. Nothing here knows a peer or a kind.
"""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.compare import OtherResultsError, compare
from bench.results import OURS, read
from bench.table import show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from bench.kinds.case import Kind
    from bench.peers.peer import Peer
    from bench.results import Results
    from bench.settings import Settings
    from bench.targets import Target


class PlaceError(Exception):
    """A place that cannot be made on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a command measures. `place` is entered for as long as it does, and may raise PlaceError."""

    program: str
    about: str
    note: str
    peers: Mapping[str, Peer]
    kinds: Mapping[str, Kind]
    full: Settings
    quick: Settings
    targets: tuple[Target, ...]
    place: AbstractContextManager[object] = field(default_factory=contextlib.nullcontext)


def carry_out(comparison: Comparison) -> int:
    """Measure, print the tables, and give the exit code: 1 if doraflow itself could not be measured, 2 for usage."""
    given = _arguments(comparison)
    told = Console(stderr=True, highlight=False, markup=False)
    try:
        with comparison.place:
            results = compare(
                {name: comparison.peers[name] for name in given.peers},
                {name: comparison.kinds[name] for name in given.kinds},
                _settings(comparison, given),
                lambda line: told.print(line, soft_wrap=True),
                lambda results: _keep(results, given.json),
                read(given.json) if given.resume and given.json.exists() else None,
            )
    except OtherResultsError as error:
        told.print(f"{given.json} is of another comparison: {error}", soft_wrap=True)
        return 2
    except PlaceError as error:
        told.print(str(error), soft_wrap=True)
        return 2
    show(results, Console(), comparison.targets)
    return int(any(failure.peer.startswith(OURS) for failure in results.failures))


def _settings(comparison: Comparison, given: argparse.Namespace) -> Settings:
    settings = comparison.quick if given.quick else comparison.full
    if given.sizes:
        settings = replace(settings, sizes=given.sizes)
    return replace(settings, rounds=given.rounds) if given.rounds else settings


def _keep(results: Results, path: Path | None) -> None:
    """Write what there is after each run, so that a comparison that is cut short can be gone on with."""
    if path is not None:
        part = path.with_name(f"{path.name}.part")
        part.write_text(results.text(), encoding="utf-8")
        part.replace(path)


def _arguments(comparison: Comparison) -> argparse.Namespace:
    names, kinds = list(comparison.peers), list(comparison.kinds)
    parser = argparse.ArgumentParser(
        prog=comparison.program,
        description=comparison.about,
        epilog=comparison.note,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--peers", type=_some(names), default=names, metavar="NAME,…", help=f"of {', '.join(names)} (default: all)"
    )
    parser.add_argument("--kinds", type=_some(kinds), default=kinds, metavar="KIND,…", help=f"of {', '.join(kinds)}")
    parser.add_argument("--sizes", type=_sizes, metavar="BYTES,…", help="payload sizes, 8 or more")
    parser.add_argument(
        "--rounds", type=_count, metavar="N", help="rounds over everything (default: 5; 1 with --quick)"
    )
    parser.add_argument("--quick", action="store_true", help="minutes instead of an hour: figures are rough")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every round to FILE")
    parser.add_argument(
        "--resume", action="store_true", help="go on with what FILE holds; with more --rounds, add rounds to it"
    )
    given = parser.parse_args()
    if given.resume and given.json is None:
        parser.error("--resume goes on with the file that --json names")
    return given


def _some(names: list[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        for name in (chosen := text.split(",")):
            if name not in names:
                raise argparse.ArgumentTypeError(f"`{name}` is none of {', '.join(names)}")
        return chosen

    return read


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(_count(one) for one in text.split(","))
    if min(sizes) < 8:
        raise argparse.ArgumentTypeError("a payload begins with 8 bytes of the benchmark's own")
    return sizes


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1 on")
    return int(text)
