"""Build commands that need a shell, which none reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check


def told_of(check: Check, build: str) -> list[str]:
    return check(f"nodes:\n  - id: a\n    path: a.py\n    build: {build}\n").told


@pytest.mark.parametrize(
    ("build", "found"),
    [
        ("pip install x && echo done", "`&&`"),
        ("make > log.txt", "`>`"),
        ("make; make install", "`;`"),
        ("make -j $(nproc)", "`$(`"),
        ('make "-j$(nproc)"', "`$(`"),
        ("echo `date`", "a backquote"),
        ("~/bin/make", "`~`"),
        ("|\n      make\n      make | tee log", "`|`"),
        ("|\n      a && b\n      c > d", "`&&`"),
    ],
)
def test_what_only_a_shell_reads_is_told_once_a_step(check: Check, build: str, found: str) -> None:
    assert told_of(check, build) == [
        f"warning DF603 4:12 `build` of `a` holds {found}, but no shell reads it: the command gets it as it stands"
    ]


@pytest.mark.parametrize(
    "build",
    [
        "pip install numpy>=2 'torch>2'",
        "make -j $JOBS --prefix=${HOME}/x",
        'bash -c "source $ROS; cd x && make -j $(nproc) > log"',
        "sh -c 'a | b'",
        "echo 'a && b' \"c; d\"",
        "cargo build --release",
    ],
)
def test_what_needs_none_is_left_alone(check: Check, build: str) -> None:
    assert told_of(check, build) == []
