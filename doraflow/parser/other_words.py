"""Words that other tools use for a key of the language, and which key they mean here.

A word stands here only if its letters do not lead to the key; misspellings are `doraflow.parser.suggest`'s.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.parser.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROGRAM = ("bin", "binary", "cmd", "command", "exec", "executable", "entrypoint", "file", "main", "program", "script")

# By the noun of the mapping in which the word stands.
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "node": {
            **dict.fromkeys((*_PROGRAM, "python", "run", "source"), "path"),
            **dict.fromkeys(("consumes", "reads", "subscribe", "subscribers", "subscribes", "subscriptions"), "inputs"),
            **dict.fromkeys(("produces", "publish", "publishers", "publishes", "sends"), "outputs"),
            "arguments": "args",
            "parameters": "params",
            "log_level": "min_log_level",
        },
        "operator": {**dict.fromkeys((*_PROGRAM, "path", "source"), "python"), "library": "shared-library"},
        "Python source": {"path": "source", "script": "source", "env": "conda_env"},
        "input": {
            "from": "source",
            "output": "source",
            "topic": "source",
            "timeout": "input_timeout",
            "qos": "queue_size",
            "depth": "queue_size",
        },
        "deployment": {"host": "machine", "hostname": "machine", "node": "machine", "target": "machine"},
        "coordinator": {"address": "addr", "adress": "addr", "host": "addr", "ip": "addr"},
        "host": {"host": "address", "hostname": "address", "ip": "address", "cpus": "cores", "ram": "memory"},
        "machine": {"address": "host", "ip": "host", "name": "id", "username": "user"},
        "type rule": {"source": "from", "output": "from", "target": "to", "input": "to"},
    }
)


def meanings(word: str, noun: str, known: Sequence[str]) -> list[str]:
    """List the keys that an unknown one may mean in a mapping called `noun`, the likeliest first.

    >>> meanings("script", "node", ["id", "path"]), meanings("pth", "node", ["id", "path"])
    (['path'], ['path'])
    """
    other = _WORDS.get(noun, {}).get(word.lower())
    return [other] if other is not None and other in known else nearest(word, known)
