"""The container image of a bundle: its Dockerfile, where things lie in it, and how its launchers are called.

What engines write around it is theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.codegen.fileset import GeneratedFile
from doraflow.targeting.needs import GRACE, START_TIMEOUT

if TYPE_CHECKING:
    import jinja2

    from doraflow.ir import Plan

PLACE = "/opt/doraflow"
STATE = "/var/lib/doraflow"
HANDED_KEYS = "/run/secrets"
"""Where an engine lays down the keys of a host."""

KEYS = "/run/doraflow/keys"
"""Where the launcher finds them: in memory, as files of its own user that nobody else can read."""

USER = 65532
PROBE_SECONDS = 5
"""How long a check of the health may take; engines wait a moment more, so that its own words are told."""


def dockerfile(plan: Plan, target: str, templates: jinja2.Environment) -> GeneratedFile:
    """Render the Dockerfile, to be built with the bundle's folder as context."""
    text = templates.get_template("image_dockerfile.j2").render(
        source=plan.graph.source,
        dataflow=plan.graph.name,
        target=target,
        place=PLACE,
        state=STATE,
        user=USER,
    )
    return GeneratedFile("Dockerfile", text.encode())


def launch_command(host: str) -> list[str]:
    """Give the command that launches the nodes of a host inside the image."""
    return [
        "python3",
        f"{PLACE}/bundle/launch_{host}.py",
        "--grace",
        str(GRACE),
        "--start-timeout",
        str(START_TIMEOUT),
    ]


def health_command(host: str, level: str) -> list[str]:
    """Give the command that asks the launcher of a host for its health."""
    script = f"{PLACE}/bundle/launch_{host}.py"
    return ["python3", script, "--check-health", level, "--health-timeout", str(PROBE_SECONDS)]


def copy_keys(then: str = "") -> str:
    """Write a line of shell that makes the keys those of the launcher's user; `then` is what comes after it.

    Engines lay keys down as links, or as files of another user, and a launcher takes neither.
    """
    copying = f"install -d -m 700 {KEYS} && install -m 600 {HANDED_KEYS}/*.secret {HANDED_KEYS}/*.public* {KEYS}/"
    return f"{copying} && {then}" if then else copying
