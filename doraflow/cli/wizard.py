"""The questions of `doraflow init`, asked in a terminal one line at a time.

Lines, not pages: it works over SSH, with a screen reader, and where nothing can move a cursor. An answer that means
nothing is asked for again, with the reason. What becomes of the answers is not decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.prompt import Confirm, InvalidResponse, Prompt
from rich.text import Text

from doraflow.scaffold.answers import Answers, NodeAnswer, dataflow_text
from doraflow.scaffold.presets import DEFAULT_PRESET, PRESETS, preset_text
from doraflow.scaffold.reading import AnswerError, read_inputs, read_name, read_nodes, read_outputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from doraflow.scaffold.answers import PortAnswer

OWN = "own"
"""The choice of no preset: every node is asked for."""

_EXAMPLE_INPUT = "tick=dora/timer/hz/10"
_Read = TypeVar("_Read")


def ask_dataflow(console: Console, name: str, preset: str | None) -> str:
    """Ask for a dataflow and give its text; `name` is proposed, `preset` is asked for if it is None."""
    chosen_name = _ask(console, "Name of the dataflow", read_name, default=name)
    if preset is None:
        _show_presets(console)
        preset = Prompt.ask("Begin with", console=console, choices=[*PRESETS, OWN], default=DEFAULT_PRESET)
    if preset != OWN:
        return preset_text(preset, chosen_name)
    return dataflow_text(_ask_nodes(console, chosen_name))


def confirm(console: Console, question: str) -> bool:
    """Ask whether to go on."""
    return Confirm.ask(question, console=console, default=True)


def _show_presets(console: Console) -> None:
    for preset, told in PRESETS.items():
        console.print(Text.assemble("  ", (f"{preset:<9}", "bold"), told))
    console.print(Text.assemble("  ", (f"{OWN:<9}", "bold"), "nodes of your own, asked for one by one"))


def _ask_nodes(console: Console, name: str) -> Answers:
    """Ask for nodes and their outputs first, then for inputs, when every output is known."""
    ids = _ask(console, "Nodes, separated by spaces", read_nodes)
    console.print(Text("Outputs are `NAME` or `NAME:TYPE`, such as `image:Image speed:Float64`.", style="dim"))
    outputs = {node: _ask(console, f"Outputs of {node}", read_outputs, default="") for node in ids}
    known = [f"{node}/{port.id}" for node, ports in outputs.items() for port in ports]
    console.print(Text(f"Inputs are `NAME=SOURCE`, such as `{_EXAMPLE_INPUT}`.", style="dim"))
    console.print(Text(f"Sources: {', '.join(['dora/timer/hz/N', *known])}", style="dim"))

    def inputs_of(text: str) -> tuple[PortAnswer, ...]:
        return read_inputs(text, known)

    inputs = {node: _ask(console, f"Inputs of {node}", inputs_of, default="") for node in ids}
    hosts = _ask(console, "Machines, separated by spaces, or nothing for this one", _read_hosts, default="")
    machines = {node: _ask_machine(console, node, hosts) for node in ids}
    return Answers(name, tuple(NodeAnswer(node, inputs[node], outputs[node], machines[node]) for node in ids), hosts)


def _read_hosts(text: str) -> tuple[str, ...]:
    return read_nodes(text) if text.strip() else ()


def _ask_machine(console: Console, node: str, hosts: tuple[str, ...]) -> str:
    if len(hosts) < 2:
        return "".join(hosts)
    return Prompt.ask(f"Machine of {node}", console=console, choices=list(hosts), default=hosts[0])


def _ask(console: Console, question: str, read: Callable[[str], _Read], default: str | None = None) -> _Read:
    """Ask until the answer can be read."""

    class Question(Prompt):
        """Refuses what cannot be read, with the reason."""

        def process_response(self, value: str) -> str:
            try:
                read(value)
            except AnswerError as error:
                raise InvalidResponse(Text(str(error), style="red")) from None
            return value

    shown = default is not None and bool(default)
    if default is None:
        answer = Question.ask(question, console=console)
    else:
        answer = Question.ask(question, console=console, default=default, show_default=shown)
    return read(answer)
