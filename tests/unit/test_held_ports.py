"""The ports that tests hold, on machines whose kernel chooses from few ports, from most, and from all."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests import ports

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("32768\t60999", range(10_000, 32_768)),
        ("15000\t65535", range(10_000, 15_000)),
        ("1024\t49999", range(50_000, 60_000)),
    ],
)
def test_ports_that_the_kernel_does_not_choose_are_held_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, expected: range
) -> None:
    monkeypatch.setattr(ports, "CHOSEN_BY_THE_KERNEL", tmp_path / "range")
    (tmp_path / "range").write_text(f"{chosen}\n")
    with ports.held_ports() as held:
        assert set(held) <= set(expected)


def test_where_the_kernel_chooses_from_all_ports_some_of_those_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "CHOSEN_BY_THE_KERNEL", tmp_path / "range")
    (tmp_path / "range").write_text("1024\t65535\n")
    with ExitStack() as stack:
        blocks = [stack.enter_context(ports.held_ports()) for _ in range(50)]
        assert len({port for block in blocks for port in block}) == 50 * ports.BLOCK
