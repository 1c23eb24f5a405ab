"""The dataflows that a new project can begin with.

A preset is a template `preset_NAME.yml.j2`; what it is good for is told here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.codegen.templating import environment
from doraflow.scaffold.answers import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "hello": "two nodes and one edge of text",
        "pipeline": "a source, a filter and a sink of numbers",
        "robot": "a camera, an odometer, a planner and motors, with standard types",
    }
)
DEFAULT_PRESET = "hello"


def preset_text(preset: str, name: str) -> str:
    """Write the dataflow of a preset; `preset` is one of PRESETS."""
    return environment().get_template(f"preset_{preset}.yml.j2").render(name=quoted(name))
