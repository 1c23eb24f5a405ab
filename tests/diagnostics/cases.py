"""The catalogue of faults: files with one planted fault each, and what their first lines say must be found.

A case is a file `NAME.yml`, or a folder `NAME` with a `dataflow.yml` and what that needs beside it. The first line is

    # fault: WORDS; expected: CODE SEVERITY at line N, column N; message "WORD"; help "WORD"

`of FILE` follows the place where the fault stands in another file; `with sources`, `with frozen`, `with profile "NAME"`
and `with inventory "FILE"` say how to check; `besides CODE` names a finding that is right whatever the fault.

A file in `several` has many faults. It begins with a line for them all and one for each, in the order of their places:

    # faults: WORDS; expected:
    #   CODE SEVERITY at line N, column N; message "WORD"; help "WORD"
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

CATALOGUE = Path(__file__).with_name("catalogue")
SEVERAL = Path(__file__).with_name("several")

_STRING = r'"(?:[^"\\]|\\.)*"'
_HEADER = re.compile(
    r"# fault: (?P<fault>.+); expected: (?P<code>DF[0-9]{3}) (?P<severity>error|warning|note)"
    r" at line (?P<line>[0-9]+), column (?P<column>[0-9]+)(?: of (?P<file>\S+))?"
    rf"; message (?P<message>{_STRING}); help (?P<help>{_STRING})(?P<rest>.*)"
)
_FIRST_OF_SEVERAL = re.compile(r"# faults: .+; expected:")
_ONE_OF_SEVERAL = re.compile(
    r"#   (?P<code>DF[0-9]{3}) (?P<severity>error|warning|note) at line (?P<line>[0-9]+), column (?P<column>[0-9]+)"
    rf"; message (?P<message>{_STRING}); help (?P<help>{_STRING})"
)
_REST = re.compile(rf"; (?:with (?P<key>\w+)(?: (?P<value>{_STRING}))?|besides (?P<besides>DF[0-9]{{3}}))")


@dataclass(frozen=True, slots=True)
class Case:
    """A planted fault: the file to check, how, and the one finding that must come of it."""

    name: str
    path: Path
    code: str
    severity: str
    line: int
    column: int
    file: str
    message: str
    help: str
    settings: dict[str, str]
    besides: tuple[str, ...]

    @property
    def place(self) -> tuple[str, int, int]:
        return (self.file, self.line, self.column)


def read_case(path: Path) -> Case:
    """Read the first line of a case's file."""
    content = path.read_bytes()
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    first = content.decode("utf-16" if is_utf_16 else "utf-8", errors="replace").split("\n", 1)[0]
    found = _HEADER.fullmatch(first)
    assert found is not None, f"{path}: the first line is not as tests/diagnostics/cases.py says"
    rest = list(_REST.finditer(found["rest"]))
    assert "".join(each[0] for each in rest) == found["rest"], f"{path}: {found['rest']}"
    return Case(
        name=name_of(path),
        path=path,
        code=found["code"],
        severity=found["severity"],
        line=int(found["line"]),
        column=int(found["column"]),
        file=found["file"] or path.name,
        message=json.loads(found["message"]),
        help=json.loads(found["help"]),
        settings={each["key"]: json.loads(each["value"] or '""') for each in rest if each["key"]},
        besides=tuple(each["besides"] for each in rest if each["besides"]),
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """One of several faults of a file: what must be found of it, where, and with which words."""

    code: str
    severity: str
    line: int
    column: int
    message: str
    help: str


def read_several(path: Path) -> list[Expected]:
    """Read the first lines of a file with several faults."""
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert _FIRST_OF_SEVERAL.fullmatch(first) is not None, f"{path}: the first line is not as cases.py says"
    found = list(takewhile(bool, (_ONE_OF_SEVERAL.fullmatch(line) for line in lines)))
    return [
        Expected(
            code=each["code"],
            severity=each["severity"],
            line=int(each["line"]),
            column=int(each["column"]),
            message=json.loads(each["message"]),
            help=json.loads(each["help"]),
        )
        for each in found
        if each is not None
    ]


def name_of(path: Path) -> str:
    """Give the name of a case by the path of its dataflow."""
    return path.parent.name if path.name == "dataflow.yml" else path.stem


def case_files() -> list[Path]:
    """List the dataflows of all cases, in the order of their names."""
    files = [*CATALOGUE.glob("*.yml"), *CATALOGUE.glob("*/dataflow.yml")]
    return sorted(files, key=name_of)
