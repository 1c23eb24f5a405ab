"""What the restart soak takes for growth: each bound is told when it is passed, and nothing below it is."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.soak.holdings import MORE_FILES, MORE_MEMORY, MORE_SHARED, Held, Holdings, compared, growth, holdings

if TYPE_CHECKING:
    from pathlib import Path

MEBI = 1 << 20
BEFORE = Holdings({"launcher": Held(40, 30 * MEBI), "watch": Held(19, 50 * MEBI)}, 20, 4 * MEBI)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (BEFORE, []),
        (replace(BEFORE, processes={"watch": Held(19 + MORE_FILES, 50 * MEBI + MORE_MEMORY)}), []),
        (
            replace(BEFORE, processes={"watch": Held(20 + MORE_FILES, 50 * MEBI)}),
            ["watch has 28 files open, 19 before: more than 8 more"],
        ),
        (
            replace(BEFORE, processes={"launcher": Held(40, 31 * MEBI + MORE_MEMORY)}),
            ["launcher holds 47.0 MiB, 30.0 MiB before: more than 16.0 MiB more"],
        ),
        (replace(BEFORE, entries=21), ["the run has 21 files in shared memory, 20 before"]),
        (replace(BEFORE, shared=5 * MEBI + MORE_SHARED), ["the run's files hold 13.0 MiB, 4.0 MiB before"]),
    ],
)
def test_what_has_grown_beyond_its_bound_is_told(after: Holdings, told: list[str]) -> None:
    assert list(growth(BEFORE, after)) == told


def test_both_counts_are_laid_out_for_each_process() -> None:
    assert list(compared(BEFORE, BEFORE)) == [
        "launcher: 40 -> 40 open files, 30720 -> 30720 KiB of memory",
        "watch: 19 -> 19 open files, 51200 -> 51200 KiB of memory",
        "run: 20 -> 20 files in shared memory, 4096 -> 4096 KiB in them",
    ]


def test_files_that_are_opened_and_left_in_the_run_are_counted(tmp_path: Path) -> None:
    before = holdings({"self": os.getpid()}, tmp_path)
    with tempfile.TemporaryFile(), tempfile.TemporaryFile():
        (tmp_path / "left").write_bytes(bytes(10_000))
        after = holdings({"self": os.getpid()}, tmp_path)
    assert after.processes["self"].files == before.processes["self"].files + 2
    assert (before.entries, after.entries) == (0, 1)
    assert after.shared >= 10_000
