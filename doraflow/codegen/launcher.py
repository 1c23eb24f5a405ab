"""The launcher of a host: its processes as a table, then one call into the runtime."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from doraflow_runtime.contract import FEWEST_FORKED, Process

from doraflow.codegen.fileset import GeneratedFile

if TYPE_CHECKING:
    import jinja2

    from doraflow.ir import HostPlan, Plan


def launcher_file(plan: Plan, host: HostPlan, templates: jinja2.Environment) -> GeneratedFile:
    """Render `launch_<host>.py`, executable."""
    text = templates.get_template("launcher.py.j2").render(
        dataflow=plan.graph.name,
        source=plan.graph.source,
        host=host.host,
        processes=[_row(process) for process in host.processes],
        is_warmed=sum(process.is_forkable for process in host.processes) >= FEWEST_FORKED,
    )
    return GeneratedFile(f"launch_{host.host}.py", text.encode(), executable=True)


def _row(process: Process) -> dict[str, object]:
    """List the fields of a row that differ from their defaults, in the order of the class."""
    return {
        spec.name: value
        for spec in dataclasses.fields(Process)
        if spec.name == "node" or (value := getattr(process, spec.name)) != _default(spec)
        if (value := getattr(process, spec.name)) is not None
    }


def _default(spec: dataclasses.Field[object]) -> object:
    return spec.default_factory() if spec.default_factory is not dataclasses.MISSING else spec.default
