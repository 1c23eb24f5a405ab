"""`doraflow explain`: every spelling of a code, the list, and what is said of a code that does not exist."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from doraflow.cli.main import app
from doraflow.codes import CODES


@pytest.mark.parametrize("spelling", ["DF204", "DF0204", "204", "df204", "0204"])
def test_a_code_is_found_however_it_is_spelt(spelling: str) -> None:
    done = CliRunner().invoke(app, ["explain", spelling])
    assert done.exit_code == 0
    assert done.stdout.startswith("# DF204: an unknown output\n\nAn input names a node")
    assert "error[DF204]: `camera` has no output `imgae`" in done.stdout


def test_without_a_code_all_are_listed() -> None:
    done = CliRunner().invoke(app, ["explain"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"{code}  {meaning}" for code, meaning in CODES.items()]


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("DF299", "error: there is no code `DF299`; the nearest are DF301, DF302, DF303\n"),
        ("typo", "error: there is no code `typo`; `doraflow explain` without a code lists all\n"),
    ],
)
def test_an_unknown_code_is_one_sentence_and_exit_2(spelling: str, message: str) -> None:
    done = CliRunner().invoke(app, ["explain", spelling])
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", message)
