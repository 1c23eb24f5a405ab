"""The fuzzer's target over what is known: the catalogue, the examples, and random mutations of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from fuzz.seeds import seed_files
from fuzz.target import prepare, try_bytes

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 20.0  # the fuzzer's own bound is 2; a machine that runs tests may be busy
MUTANTS = 150


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path)
    return tmp_path


def mutant(seeds: list[bytes], drawn: random.Random) -> bytes:
    """Change a seed at one to four places: bytes changed or taken out, or the end of another seed put on."""
    content = bytearray(drawn.choice(seeds))
    for _ in range(drawn.randint(1, 4)):
        start = drawn.randrange(len(content) + 1)
        match drawn.randrange(3):
            case 0:
                content[start : start + 1] = bytes([drawn.randrange(256)])
            case 1:
                del content[start : start + drawn.randint(1, 20)]
            case _:
                content[start:] = drawn.choice(seeds)[-drawn.randint(1, 200) :]
    return bytes(content)


def test_every_known_file_keeps_the_promises(folder: Path) -> None:
    seeds = [path.read_bytes() for path in seed_files()]
    assert len(seeds) > 300
    for content in seeds:
        try_bytes(content, folder, SECONDS)


def test_random_mutations_keep_the_promises(folder: Path) -> None:
    seeds, drawn = [path.read_bytes() for path in seed_files()], random.Random(4711)
    for _ in range(MUTANTS):
        try_bytes(mutant(seeds, drawn), folder, SECONDS)
