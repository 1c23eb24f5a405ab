"""Keys that the language has not, but that users of other tools expect: where what they say is written here.

A word stands here only if no single key takes its value as it is; one that does is `doraflow.parser.other_words`'.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode
from doraflow.parser.timers import timer_meant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.parser.syntax import SyntaxNode

LONGEST_SHOWN = 60

_BUILD = ("dependencies", "install", "packages", "pip", "requirements")
_A_SECOND = ("fps", "frequency", "hz", "rate")
_RATE = (*_A_SECOND, "interval", "period", "tick", "timer")
_MACHINE = ("host", "machine", "robot", "target")
_EDGES = ("connect", "connections", "edges", "links", "wires", "wiring")
_FOR_PEOPLE = ("author", "authors", "license", "metadata", "version")
_SWITCHES = ("condition", "disabled", "enable", "enabled", "if", "when")

# By the noun of the mapping in which the word stands. `{value}` is what stands behind it, or `…`.
_ADVICE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "node": {
            "type": "name the types of outputs under `output_types`, as `OUTPUT: {value}`",
            "types": "name the types of outputs under `output_types`, and those of inputs under `input_types`",
            **dict.fromkeys(_RATE, "write `tick: {timer}` under `inputs`"),
            **dict.fromkeys(_BUILD, "write `build: pip install {value}`"),
            **dict.fromkeys(_MACHINE, "write `deploy: {{machine: {value}}}`"),
            **dict.fromkeys(_SWITCHES, "remove it; to leave the node out, put `#` before each of its lines"),
            **dict.fromkeys(
                ("queue_size", "queue_policy"), "write it in an input: `NAME: {{source: NODE/OUTPUT, {key}: {value}}}`"
            ),
            "package": "remove it, and write the path of the program under `path`: packages are not looked up by name",
            "topic": "write `ros2: {{topic: {value}, message_type: …}}`",
            "language": "remove it: the ending of `path` tells it",
        },
        "dataflow": {
            **dict.fromkeys(_EDGES, "remove it, and write each connection under `inputs` of its reader: {edge}"),
            **dict.fromkeys(_FOR_PEOPLE, "remove it, as no dataflow has one, or make it a comment: `# {key}: {value}`"),
            **dict.fromkeys(
                ("import", "imports", "include", "includes", "modules"),
                "name each module file in a node: `- id: NAME` with `module: {value}` below",
            ),
            "types": "write types into files of their own, `types/NAME.yml` beside the dataflow",
        },
        "input": {
            "type": "write `NAME: {value}` under `input_types` of the node",
            **dict.fromkeys(_RATE, "write `source: {timer}`"),
        },
    }
)
_IN_THE_PLACE_OF: Mapping[str, frozenset[str]] = MappingProxyType({"source": frozenset(_RATE)})
_ENDS = (("from", "to"), ("source", "target"), ("source", "destination"), ("src", "dst"), ("output", "input"))


def advice(word: str, noun: str, value: SyntaxNode | None) -> str | None:
    """Say what to write for an unknown key in a mapping called `noun`; None where nothing is known of it."""
    text = _ADVICE.get(noun, {}).get(word.lower())
    if text is None:
        return None
    shown = _shown(value)
    unit = "hz" if word.lower() in _A_SECOND else "millis"
    timer = timer_meant(f"timer {shown} {unit}" if shown.isdigit() else f"timer {shown}") or "dora/timer/hz/30"
    return text.format(key=word, value=shown, timer=timer, edge=_edge(value))


def stands_for(word: str, key: str) -> bool:
    """Tell whether a word that has been told of stands where a required key must be."""
    return word.lower() in _IN_THE_PLACE_OF.get(key, frozenset())


def _shown(value: SyntaxNode | None) -> str:
    items = value.items if isinstance(value, SequenceNode) else (value,)
    texts = [item.text for item in items if isinstance(item, ScalarNode)]
    joined = " ".join(texts)
    return joined if joined and len(joined) <= LONGEST_SHOWN and "\n" not in joined else "…"


def _edge(value: SyntaxNode | None) -> str:
    """Write the first of a list of connections as the input that it makes."""
    first = value.items[0] if isinstance(value, SequenceNode) and value.items else None
    if not isinstance(first, MappingNode):
        return "`NAME: NODE/OUTPUT`"
    for start, end in _ENDS:
        source, target = first.get(start), first.get(end)
        if isinstance(source, ScalarNode) and isinstance(target, ScalarNode):
            name = target.text.replace(".", "/").rpartition("/")[2]
            return f"`{name}: {source.text.replace('.', '/')}`"
    return "`NAME: NODE/OUTPUT`"
