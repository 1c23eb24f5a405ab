"""What a machine is like, as data: the facts that the checks judge.

Nothing is read here; `doraflow.doctor.reading` does. None stands for what could not be found out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Space:
    """A place on a disk or in memory: its bytes in all, and those that are free."""

    path: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class RunBase:
    """The folder of the runs: whether it is there, belongs to this user alone, and can be written."""

    path: str
    is_there: bool = True
    is_private: bool = True
    is_writable: bool = True


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that a dataflow's build needs, and the node that needs it first."""

    program: str
    owner: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is checked. Sizes are bytes, limits None where there is none or it is not known.

    `libraries` gives versions, `broken` the errors of imports; `refused` gives by name what the kernel refuses and why.
    """

    python: tuple[int, int, int] = (3, 11, 0)
    libraries: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    shared_memory: Space | None = None
    open_files: tuple[int | None, int | None] = (None, None)
    locked_memory: int | None = None
    huge_pages: str | None = None
    memory: int | None = None
    memory_limit: int | None = None
    run_base: RunBase | None = None
    stale_runs: tuple[str, ...] = ()
    logs: Space | None = None
    compiler: str | None = None
    core_fault: str = ""
    clock: str | None = None
    governor: str | None = None
    tools: tuple[Tool, ...] = ()
