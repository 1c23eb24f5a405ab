"""The run that a command means, by its name or that of its dataflow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from doraflow_runtime.control.places import base_directory
from doraflow_runtime.control.registry import find_runs, meant_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow_runtime.control.registry import FoundRun

    from doraflow.diagnostics import Sink

_MOST_LISTED = 10


def known_runs() -> tuple[FoundRun, ...]:
    """List the runs of this user, oldest first."""
    return find_runs(base_directory(os.environ))


def choose(name: str, sink: Sink) -> FoundRun | None:
    """Find the living run that `name` means; an empty name means the only one there is. None after a finding."""
    runs = known_runs()
    found = meant_by(name, runs)
    if len(found) == 1:
        return found[0]
    if found:
        which = f"`{name}` fits" if name else "without a name, a command fits"
        names = [run.name for run in found]
        sink.error(
            "DF841", f"{which} {len(found)} runs: {_listed(names)}", help=f"name one of them, such as `{names[-1]}`"
        )
        return None
    _tell_missing(name, [run for run in runs if run.is_alive], sink)
    return None


def _tell_missing(name: str, living: Sequence[FoundRun], sink: Sink) -> None:
    from difflib import get_close_matches

    if not living:
        message = f"no run is named `{name}`: nothing runs" if name else "nothing runs"
        sink.error("DF840", message, help="start a dataflow with `doraflow start FILE --detach`")
        return
    names = list(dict.fromkeys(text for run in living for text in (run.name, run.facts.dataflow)))
    near = get_close_matches(name, names, n=1, cutoff=0.0)
    message = f"no run is named `{name}`; what runs: {_listed([run.name for run in living])}"
    sink.error("DF840", message, help=f"to name the closest, write `{near[0]}`" if near else None)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
    return shown if len(names) <= _MOST_LISTED else f"{shown} and {len(names) - _MOST_LISTED} more"
