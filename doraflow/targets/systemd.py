"""systemd: a service for each host, as a unit of the system and as one of a user, and the system user it runs as.

The units are sandboxed as far as a node that reads devices and the network allows; what is left open stands in
docs/targets/systemd.md.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.literals import docstring
from doraflow.codegen.templating import environment
from doraflow.targeting.faults import tell_same_names, tell_without_room
from doraflow.targeting.links import old_key_files
from doraflow.targeting.names import dns_label, folder_name
from doraflow.targeting.needs import GRACE, START_SECONDS, START_TIMEOUT, STOP_SECONDS, host_needs

if TYPE_CHECKING:
    import jinja2

    from doraflow.diagnostics import Sink
    from doraflow.ir import Plan
    from doraflow.targeting.needs import HostNeeds

USER = "doraflow"
SYSTEM_PLACE = "/opt/doraflow"
USER_PLACE = "%h/.local/share/doraflow"
KEY_PLACE = "/etc/doraflow/keys"
HANDED_KEYS = ".config/doraflow/keys"
"""Where a deploy puts keys in the home of whoever it logs in as; that of the units' user is SYSTEM_PLACE then."""

WATCHDOG_SECONDS = 30


def check(plan: Plan, sink: Sink) -> None:
    """Report hosts whose units would have one name, and those without bounds."""
    tell_same_names(plan, sink)
    tell_without_room(plan, sink)


def files(plan: Plan) -> tuple[GeneratedFile, ...]:
    """Make the units of all hosts, the file that makes their user, and how to install them."""
    templates = environment()
    templates.filters["unit_text"] = _unit_text
    hosts = host_needs(plan)
    units = [_unit(plan, needs, kind, templates) for kind in ("system", "user") for needs in hosts]
    readme = templates.get_template("systemd_readme.md.j2").render(
        dataflow=plan.graph.name,
        folders={needs.host: _shell_path(plan.graph.name, needs.host) for needs in hosts},
        key_folder=dns_label(plan.graph.name),
        hosts=hosts,
        user=USER,
        keys=KEY_PLACE,
        handed=shlex.quote(f"{SYSTEM_PLACE}/{HANDED_KEYS}/{plan.graph.name}"),
        system=SYSTEM_PLACE,
        home=USER_PLACE.replace("%h", "~"),
    )
    sysusers = f'u {USER} - "doraflow" - -\n'
    return (
        GeneratedFile("README.md", readme.encode()),
        GeneratedFile(f"sysusers.d/{USER}.conf", sysusers.encode()),
        *units,
    )


def _unit(plan: Plan, needs: HostNeeds, kind: str, templates: jinja2.Environment) -> GeneratedFile:
    place = SYSTEM_PLACE if kind == "system" else USER_PLACE
    text = templates.get_template("systemd_unit.j2").render(
        source=plan.graph.source,
        dataflow=plan.graph.name,
        folder=f"{place}/{_deployed(plan.graph.name, needs.host)}",
        needs=needs,
        old_keys=old_key_files(needs.keys),
        is_system=kind == "system",
        user=USER,
        keys=f"{KEY_PLACE}/{dns_label(plan.graph.name)}",
        grace=GRACE,
        start_timeout=START_TIMEOUT,
        start_seconds=START_SECONDS,
        stop_seconds=STOP_SECONDS,
        watchdog=WATCHDOG_SECONDS,
    )
    return GeneratedFile(f"{kind}/{needs.unit}.service", text.encode())


def _deployed(dataflow: str, host: str) -> str:
    """Give the folder in which `doraflow deploy` keeps the versions of a host, in words of a unit."""
    return f"{folder_name(dataflow)}/{folder_name(host)}".replace("%", "%%")


def _shell_path(dataflow: str, host: str) -> str:
    return shlex.quote(f"{folder_name(dataflow)}/{folder_name(host)}")


def _unit_text(text: str) -> str:
    """Make text safe in a unit: one line, and no specifier of systemd's."""
    return docstring(text).replace("%", "%%")
