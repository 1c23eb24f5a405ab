"""The wiring table of a host as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from doraflow_runtime.codec import to_json

from doraflow.codegen.fileset import GeneratedFile

if TYPE_CHECKING:
    from doraflow.ir import HostPlan


def wiring_file(host: HostPlan) -> GeneratedFile:
    """Render `wiring/<host>.json`; keys stand in the order of the contract's fields."""
    text = json.dumps(to_json(host.wiring), indent=2, ensure_ascii=False)
    return GeneratedFile(f"wiring/{host.host}.json", f"{text}\n".encode())
