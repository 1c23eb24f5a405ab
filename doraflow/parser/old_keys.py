"""Keys of older dialects, and what stands for them today.

Where they stand as they used to, `doraflow.parser.dialects` reads them; elsewhere they are unknown keys, and a message
about one names the modern spelling.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OLD_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "_unstable_deploy": "write `deploy`",
        "_unstable_debug": "write `debug`, with `enable_debug_inspection: true`",
        "publish_all_messages_to_zenoh": "write `enable_debug_inspection`",
        "communication": "remove it: the links are chosen when the dataflow is built",
        "daemon_config": "remove it: the links are chosen when the dataflow is built",
        "custom": "move the keys that the node lacks up into it, `source` as `path`, and remove `custom`",
        "run": "write `path`, and the arguments under `args`",
        "source": "write `path`",
        "envs": "write `env`",
        "working-directory": "write paths relative to the dataflow file",
        "working_directory": "write paths relative to the dataflow file",
        "shared_library": "write `shared-library`",
        "operators": "write `nodes:`, and move all keys of each entry but its `id` below a key `operator:` of its own",
        "sources": "write all nodes under `nodes`, each with its `outputs`",
        "sinks": "write all nodes under `nodes`, each with its `inputs`",
    }
)

NODE_SECTIONS = frozenset({"operators", "sources", "sinks"})
"""Those that held nodes at the top of a file, in the place of `nodes`."""
