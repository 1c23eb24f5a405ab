"""The processes of a run's nodes, one after another for each: started, taken over with their output, started again.

When that is due, and what follows if it cannot be done, is the supervisor's affair.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import wiring
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.members import Member
from doraflow_runtime.launcher.output import NodeOutput
from doraflow_runtime.launcher.restarts import RestartRules, Restarts
from doraflow_runtime.launcher.revival import Place
from doraflow_runtime.launcher.run_directory import unusable
from doraflow_runtime.launcher.starting import Starter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doraflow_runtime.launcher.commands import Command
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.guardian import Guardian
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.members import Guest, Members
    from doraflow_runtime.launcher.node_logs import NodeLogs
    from doraflow_runtime.launcher.run import Run
    from doraflow_runtime.launcher.spawn import Spawned


class Lives:
    """Fills `members` with the nodes whose processes it starts."""

    __slots__ = ("_commands", "_guardian", "_logs", "_loop", "_members", "_places", "_run", "_starter")

    def __init__(
        self, run: Run, members: Members, logs: NodeLogs, loop: Loop, console: Console, guardian: Guardian
    ) -> None:
        self._run = run
        self._members = members
        self._logs = logs
        self._loop = loop
        self._guardian = guardian
        self._starter = Starter(run, loop, console, guardian)
        self._commands = {command.process.node: command for command in run.commands}
        self._places = {
            node.id: Place(wiring.config_path(run.directory, index), run.directory / wiring.address(index))
            for index, node in enumerate(run.wiring.nodes)
        }

    def start_all(self, is_stopping: Callable[[], bool]) -> Iterator[tuple[Command, Member | OSError]]:
        """Start every process, or as many as there are when the run is stopped; give each, or why there is none."""
        configurations = {node: place.configuration for node, place in self._places.items()}
        for command, outcome in self._starter.start(configurations, is_stopping):
            yield command, outcome if isinstance(outcome, OSError) else self._take_in(command, outcome)
        order = {node: at for at, node in enumerate(self._commands)}
        self._members.all.sort(key=lambda member: order[member.node])

    def start_again(self, member: Member) -> tuple[Command, Member | OSError]:
        """Start the next process of a node of which nothing is left. Raises LaunchError for the run directory."""
        command, place = self._commands[member.node], self._places[member.node]
        try:
            place.clear(member.restarts.count)
        except OSError as error:
            raise LaunchError(unusable(self._run.directory, error)) from error
        outcome = self._starter.start_again(command, place.configuration)
        return command, outcome if isinstance(outcome, OSError) else self._take_in(command, outcome)

    def make_room(self, guest: Guest) -> None:
        """Make the place of a dynamic node ready for its next visit. Raises LaunchError for the run directory."""
        try:
            self._places[guest.node].clear(guest.visits)
        except OSError as error:
            raise LaunchError(unusable(self._run.directory, error)) from error

    def close(self) -> None:
        """Close the pipes of all processes, and end the one that others are forked from."""
        for member in self._members.all:
            member.output.close()
        self._starter.close()

    def _take_in(self, command: Command, spawned: Spawned) -> Member:
        node = command.process.node
        take = functools.partial(self._logs.take, node)
        output = NodeOutput({"stdout": spawned.stdout, "stderr": spawned.stderr}, self._loop, take)
        self._guardian.watch(spawned.number)
        member = self._members.by_node(node)
        if member is None:
            restarts = Restarts(RestartRules.of(command.process), time.monotonic())
            member = Member(command.process, spawned.number, output, restarts)
            self._members.add(member)
        else:
            member.begin_again(spawned.number, output)
        return member
