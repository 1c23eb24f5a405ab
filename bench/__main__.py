"""The benchmark's command: `python -m bench`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.compare import OtherResultsError, compare
from bench.kinds.all import KINDS
from bench.peers.all import peers
from bench.results import read
from bench.settings import QUICK, Settings
from bench.table import show

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.results import Results

NOTE = """\
Peers are installed from PyPI into a virtual environment of the benchmark's own, in the user's cache folder.
`python -m bench.report FILE` writes the pages and the README's table from what --json wrote.
"""


def main() -> int:
    """Measure, print the tables, and give the exit code: 1 if doraflow itself could not be measured, 2 for usage."""
    known = peers()
    given = _arguments(list(known))
    settings = QUICK if given.quick else Settings()
    if given.sizes:
        settings = replace(settings, sizes=given.sizes)
    if given.rounds:
        settings = replace(settings, rounds=given.rounds)
    told = Console(stderr=True, highlight=False, markup=False)
    try:
        results = compare(
            {name: known[name] for name in given.peers},
            {name: KINDS[name] for name in given.kinds},
            settings,
            lambda line: told.print(line, soft_wrap=True),
            lambda results: _keep(results, given.json),
            read(given.json) if given.resume and given.json.exists() else None,
        )
    except OtherResultsError as error:
        told.print(f"{given.json} is of another comparison: {error}", soft_wrap=True)
        return 2
    show(results, Console())
    return int(any(failure.peer == "doraflow" for failure in results.failures))


def _keep(results: Results, path: Path | None) -> None:
    """Write what there is after each run, so that a comparison that is cut short can be gone on with."""
    if path is not None:
        part = path.with_name(f"{path.name}.part")
        part.write_text(results.text(), encoding="utf-8")
        part.replace(path)


def _arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure doraflow beside its peers, in turn, in one run.",
        epilog=NOTE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--peers", type=_some(names), default=names, metavar="NAME,…", help=f"of {', '.join(names)} (default: all)"
    )
    parser.add_argument(
        "--kinds", type=_some(list(KINDS)), default=list(KINDS), metavar="KIND,…", help=f"of {', '.join(KINDS)}"
    )
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


if __name__ == "__main__":
    sys.exit(main())
