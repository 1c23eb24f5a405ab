"""Writes the pages that show the figures: `python -m bench.report FILE`, from what `python -m bench --json FILE` wrote.

The README's part between its markers, docs/measured.md and docs/measured.svg come from bench/results.json and, across a
link between hosts, from bench/far/results.json unless other files are named, so that no figure is typed by hand.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from bench.far import pages as far
from bench.pages import page, plot, readme
from bench.results import read

if TYPE_CHECKING:
    from bench.results import Results

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "bench" / "results.json"
KEPT_FAR = ROOT / "bench" / "far" / "results.json"
BEGIN, END = "<!-- measured: python -m bench.report -->\n", "<!-- end -->\n"


def main() -> None:
    """Keep the figures and write the pages."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", default=KEPT, help="figures (default: bench/results.json)")
    parser.add_argument(
        "--far", type=Path, default=KEPT_FAR, metavar="FILE", help="those of a link (default: bench/far/results.json)"
    )
    given = parser.parse_args()
    for chosen, kept in ((given.file, KEPT), (given.far, KEPT_FAR)):
        if chosen.resolve() != kept:
            shutil.copyfile(chosen, kept)
    for path, text in pages(read(KEPT), read(KEPT_FAR)).items():
        path.write_text(text, encoding="utf-8")


def pages(results: Results, across: Results) -> dict[Path, str]:
    """Make every file that shows the figures."""
    path = ROOT / "README.md"
    return {
        path: filled(path.read_text(encoding="utf-8"), f"{readme(results)}\n{far.readme(across)}"),
        ROOT / "docs" / "measured.md": f"{page(results)}\n{far.section(across)}",
        ROOT / "docs" / "measured.svg": plot(results),
    }


def filled(text: str, part: str) -> str:
    r"""Put `part` between the markers.

    >>> filled(f"a\\n{BEGIN}old\\n{END}b\\n", "new\\n") == f"a\\n{BEGIN}\\nnew\\n\\n{END}b\\n"
    True
    """
    between = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    return between.sub(lambda _: f"\n{part}\n", text)


if __name__ == "__main__":
    main()
