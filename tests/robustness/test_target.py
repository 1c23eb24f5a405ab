"""The fuzzer's target over what is known: the catalogue, the examples, random mutations, and files made to exhaust.

Time is processor time, measured against a piece of work that takes the same machine as busy as it is.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from doraflow.collector import held_back
from fuzz.seeds import dictionary, seed_files
from fuzz.target import prepare, try_bytes
from tests.robustness import adversarial, bounds
from tests.robustness.adversarial import LARGEST

FILES = {**adversarial.FILES, **bounds.MADE}
ROOT = Path(__file__).resolve().parents[2]
NEGATIVES = ROOT.parent / "shared" / "corpus" / "negatives"
SECONDS = 2.0
SECONDS_FOR_MANY_NODES = 4.0
"""For a check of the files below. Reading them is bounded like that of any other, but they are valid, or nearly so, and
hold from 10,000 to 26,000 nodes or operators, each of which is judged: a check is promised 4 seconds for 10,000."""
MANY_NODES = frozenset(
    {
        "nodes that read themselves",
        "a ring of nodes",
        "many small rings",
        "modules",
        "old nodes",
        "outputs of a module",
        "a chain of operators",
    }
)
MOST_MEMORY = 500 * 2**20
TRIES = 5
EVERY_FILE = "DORAFLOW_TEST_EVERY_FILE"
TAKEN = tuple(FILES) if os.environ.get(EVERY_FILE) else tuple(FILES)[::4]
"""All take six minutes of processor time, so an ordinary run takes one file of four: `doit robustness` takes all."""
YARDSTICK = f"[{'x, ' * 100_000}]"
USUAL = 0.1
"""Seconds that reading the yardstick takes on the machine for which the bounds were set."""

RUN = """
import sys, time
from pathlib import Path
from doraflow.collector import held_back
from doraflow.diagnostics import Sink
from doraflow.parser.load import load
from doraflow.pipeline import check
from fuzz.target import FLOW, prepare, try_bytes
from tests.robustness.test_target import FILES
folder, name, reading, checking = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
prepare(folder)
content = FILES[name]().encode()
(folder / FLOW).write_bytes(content)
if checking > reading:  # or else the check, of which reading is a part, is held to the same
    begin = time.process_time()
    with held_back():
        load(folder / FLOW, Sink())
    taken = time.process_time() - begin
    assert taken < reading, f"reading took {taken:.2f} s"
try_bytes(content, folder, checking)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path)
    return tmp_path


def mutant(seeds: list[bytes], words: list[bytes], drawn: random.Random) -> bytes:
    """Change a seed at one to four places: bytes taken out or changed, a word put in, the end of another put on."""
    content = bytearray(drawn.choice(seeds))
    for _ in range(drawn.randint(1, 4)):
        start = drawn.randint(0, len(content))
        end = min(len(content), start + drawn.randint(0, 12))
        content[start:end] = drawn.choice([b"", drawn.randbytes(1), drawn.choice(words), content[end : end + 20]])
    if drawn.random() < 0.2:
        other = drawn.choice(seeds)
        content[drawn.randint(0, len(content)) :] = other[drawn.randint(0, len(other)) :]
    return bytes(content)


def test_all_promises_hold_for_every_seed(folder: Path) -> None:
    seeds = [*seed_files(), *sorted(NEGATIVES.rglob("*.yml"))]
    assert len(seeds) > 350
    for path in seeds:
        try_bytes(path.read_bytes(), folder)


@pytest.mark.parametrize("start", range(4))
def test_all_promises_hold_for_mutated_seeds(folder: Path, start: int) -> None:
    drawn = random.Random(start)
    seeds, words = [path.read_bytes() for path in seed_files()], dictionary()
    for _ in range(150):
        try_bytes(mutant(seeds, words, drawn), folder)


def slowness() -> float:
    """Tell how many times slower than usual the machine is just now at making many small objects; at least 1.

    None of doraflow's own code is asked.
    """
    with held_back():
        begin = time.process_time()
        kept = [(event, {"start": event.start_mark}) for event in yaml.parse(YARDSTICK, Loader=yaml.CSafeLoader)]
        taken = time.process_time() - begin
    assert len(kept) > 100_000
    return max(1.0, taken / USUAL)


@pytest.mark.parametrize("name", TAKEN)
def test_no_file_of_a_mebibyte_takes_more_than_the_bounds(tmp_path: Path, name: str) -> None:
    assert LARGEST // 2 < len(FILES[name]().encode()) <= LARGEST
    for _ in range(TRIES):  # a machine that does other work at the same time can be slow, and not only once
        done = in_a_process_of_its_own(tmp_path, name, slowness())
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr[-2_000:]


def in_a_process_of_its_own(folder: Path, name: str, slow: float) -> subprocess.CompletedProcess[str]:
    checking = SECONDS_FOR_MANY_NODES if name in MANY_NODES else SECONDS
    return subprocess.run(
        [sys.executable, "-c", RUN, str(folder), name, str(SECONDS * slow), str(checking * slow)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY)),
    )
