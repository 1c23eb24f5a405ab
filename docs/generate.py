"""Writes the generated pages of docs/: `python -m docs.generate`.

The pages of diagnostic codes come from doraflow/explanations. Their wrong examples are run, and what is printed is
written back into them, so that no message is typed by hand.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from docs import command_line, screenshots
from doraflow.cli.cache import cache_folder
from doraflow.cli.main import app
from doraflow.codes import CODES
from doraflow.explanations.pages import WRONG, Page, page, parse

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
CLI_PAGE = Path(__file__).with_name("cli.md")
EXPLANATIONS = ROOT / "doraflow/explanations"
DIAGNOSTICS = ROOT / "docs/diagnostics"
PAGES = {code: found for code in CODES if (found := page(code)) is not None}
RANGES = {
    "0": "Text, YAML and settings",
    "1": "Keys and values",
    "2": "Names and references",
    "3": "Types",
    "4": "Loops and queues",
    "5": "Placement",
    "6": "Sources and build steps",
    "7": "The bundle",
    "8": "Launching",
    "9": "Not carried out by this version",
}
_FINDING = re.compile(r"^(?:error|warning|note)\[(DF\d+)\]", re.MULTILINE)
_SUMMARY = re.compile(r"^\d+ (?:error|warning|note)s?\b")


def act(page: Page, heading: str, run: Callable[[str, str], str] | None = None) -> str:
    """Run an example in a folder of its own; give what its last command says, from the first finding on.

    `run` runs a command in a folder, and gives what it writes to standard error.
    """
    example = page.example(heading)
    encoding = page.settings.get("encoding", "utf-8")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, text in example.files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(text.encode(encoding))
        if "fill" in page.settings:
            name, size = page.settings["fill"].split()
            with Path(name).open("a") as stream:
                stream.write("# more of the same\n" * (int(size) // 19 + 1))
        said = [(run or run_command)(command, folder) for command in example.commands][-1]
    found = _FINDING.search(said)
    return _without_summary(_steady(said[found.start() :], folder)) if found else ""


def _steady(said: str, folder: str) -> str:
    """Replace what differs from one run to the next: the folder, and the cache folder that is named after it."""
    cache = cache_folder(Path(folder, "dataflow.yml")).name
    return said.replace(f"{Path(folder).resolve()}/", "").replace(f"{folder}/", "").replace(cache, "example")


def codes(said: str) -> list[str]:
    """List the codes of the findings in what a command said."""
    return _FINDING.findall(said)


def explanation(code: str) -> str:
    """Write a page of doraflow/explanations again, with what its wrong example prints."""
    source = (EXPLANATIONS / f"{code}.md").read_text()
    read = PAGES[code]
    if "not-run" in read.settings:
        return source
    start = source.index(f"## {WRONG}\n")
    opening = source.index("```text\n", start) + len("```text\n")
    closing = source.index("```", opening)
    return source[:opening] + act(read, WRONG) + source[closing:]


def published(code: str) -> str:
    """Write the page of docs/diagnostics for a code."""
    read = PAGES[code]
    return f"# {read.title}\n\n{read.body}"


def index() -> str:
    """Write the list of all codes."""
    lines = ["# Diagnostics", "", "Every finding has a code. Codes keep their meaning for good.", ""]
    lines += ["`doraflow explain DF204` prints a page in the terminal.", ""]
    for digit, title in RANGES.items():
        lines += [f"## {title}", "", "| code | what it says |", "|---|---|"]
        lines += [f"| {_linked(code)} | {meaning} |" for code, meaning in CODES.items() if code[2] == digit]
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """Give every generated page of docs/ with its text."""
    texts = {DIAGNOSTICS / f"{code}.md": published(code) for code in PAGES}
    return {**texts, DIAGNOSTICS / "index.md": index()}


def _linked(code: str) -> str:
    return code if code not in PAGES else f"[{code}]({code}.md)"


def run_command(command: str, folder: str) -> str:
    """Run a command in a folder; what it writes to standard error."""
    words = shlex.split(command)
    if words[:2] == ["doraflow", "check"]:
        done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
        return done.stderr
    python = [sys.executable]
    program = {"doraflow": [*python, "-m", "doraflow"], "python": python}.get(words[0], words[:1])
    return subprocess.run(
        [*program, *words[1:]],
        env=surroundings(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=60,
    ).stderr


def surroundings(folder: str) -> dict[str, str]:
    """Give the environment of the commands of an example."""
    environment = {**os.environ, "NO_COLOR": "1", "XDG_CACHE_HOME": f"{folder}/.cache"}
    environment["DORAFLOW_RUN_BASE"] = f"{folder}/.runs"  # what else runs on this machine is not the page's affair
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return environment


def _without_summary(said: str) -> str:
    """Leave out the line that counts the findings, and the empty ones around it."""
    kept = [line.rstrip() for line in said.splitlines() if not _SUMMARY.match(line)]
    return "\n".join(kept).rstrip() + "\n"


def _write_all() -> None:
    for code, text in [(code, explanation(code)) for code in PAGES]:
        (EXPLANATIONS / f"{code}.md").write_text(text)
        PAGES[code] = parse(code, text)
    DIAGNOSTICS.mkdir(exist_ok=True)
    wanted = pages()
    for path in set(DIAGNOSTICS.glob("*.md")) - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    CLI_PAGE.write_text(command_line.page())
    screenshots.write_all(CLI_PAGE.parent)


if __name__ == "__main__":
    _write_all()
