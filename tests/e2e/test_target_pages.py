"""The pages of targets: their commands run, and what they list of the bundle is there."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from doraflow.target_registry import target_names
from tests.commands import doraflow

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs/targets").glob("*.md"))


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    return [line for line in "".join(blocks).splitlines() if line.startswith("doraflow ")]


def test_every_target_has_its_page() -> None:
    assert [page.stem for page in PAGES] == list(target_names())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert commands(page)
    for line in commands(page):
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"}
        done = doraflow(*shlex.split(line)[1:], cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / "bundle/targets" / page.stem).rglob("*") if path.is_file()}
    (listing,) = re.findall(rf"(?m)^    targets/{page.stem}/\n((?: {{6}}\S.*\n)+)", page.read_text())
    listed = [line.split()[0] for line in listing.splitlines()]
    plain = [Path(name.replace("<dataflow>", "hello").replace("<host>", "local")).name for name in listed]
    assert sorted(set(plain)) == sorted(written)
