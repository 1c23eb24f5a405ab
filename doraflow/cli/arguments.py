"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from doraflow.cli import completion


class Form(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class ProgressForm(StrEnum):
    """How progress is told."""

    AUTO = "auto"
    PLAIN = "plain"
    JSON = "json"


File: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="The dataflow, such as `dataflow.yml`.", show_default=False, readable=False),
]
"""Whether it can be read is found by who reads it: that is a finding, and no wrong usage."""

Locked: TypeAlias = Annotated[
    bool, typer.Option("--locked", help="Fail where the lock file does not hold what the dataflow gives now.")
]
Frozen: TypeAlias = Annotated[
    bool, typer.Option("--frozen", help="Place nodes as the lock file says, whatever they ask for, and leave it alone.")
]
Strict: TypeAlias = Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")]
StrictTypes: TypeAlias = Annotated[
    bool, typer.Option("--strict-types", help="Ask for types as `strict_types: true` in the dataflow does.")
]
Inventory: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        metavar="FILE",
        help="A file with the machines: `hosts`, or a `cluster.yml`.",
        show_default=False,
        readable=False,
    ),
]
Profile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="The profile to lay over the dataflow.",
        show_default=False,
        autocompletion=completion.profiles,
    ),
]
Targets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="NAME",
        help="Write files for systemd, compose or kubernetes too, in `targets/NAME`; may be given several times.",
        show_default=False,
        autocompletion=completion.targets,
    ),
]
Format: TypeAlias = Annotated[
    Form,
    typer.Option(
        "--output", "--format", help="Text for people on stderr; JSON, SARIF or GitHub annotations for tools on stdout."
    ),
]
Jobs: TypeAlias = Annotated[
    int, typer.Option("--jobs", "-j", min=1, metavar="N", help="How many build steps run at once.")
]
Rebuild: TypeAlias = Annotated[bool, typer.Option("--rebuild", help="Run every build step, changed or not.")]
NoCache: TypeAlias = Annotated[bool, typer.Option("--no-cache", help="Neither use nor keep the result of a run.")]
ProgressOption: TypeAlias = Annotated[
    ProgressForm,
    typer.Option("--progress", help="How progress is told on stderr: bars on a terminal, plain lines, or JSON lines."),
]
LogFolder: TypeAlias = Annotated[
    Path | None, typer.Option("--log-dir", metavar="DIR", help="Where the nodes' logs go.", show_default=False)
]
KeepLogs: TypeAlias = Annotated[
    int, typer.Option("--keep-logs", metavar="N", min=1, help="How many runs of a dataflow keep their logs.")
]
StartTimeout: TypeAlias = Annotated[
    float,
    typer.Option("--start-timeout", metavar="SECONDS", min=0, help="How long to wait for all nodes to be ready."),
]
Grace: TypeAlias = Annotated[
    float, typer.Option("--grace", metavar="SECONDS", min=0, help="How long nodes have to end after a stop.")
]
RunName: TypeAlias = Annotated[
    str, typer.Option("--name", metavar="NAME", help="What the run is called.", show_default="DATAFLOW-TOKEN")
]

DEFAULT_JOBS = 4
KEPT_RUNS = 20
"""As the launcher has it; spelt here so that `--help` need not load the launcher."""
START_SECONDS = 120.0
GRACE_SECONDS = 5.0
