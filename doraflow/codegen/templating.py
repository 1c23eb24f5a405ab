"""The jinja2 environment: strict, and with the filters through which values enter templates."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from doraflow.codegen.literals import docstring, literal

if TYPE_CHECKING:
    import jinja2


def environment() -> jinja2.Environment:
    """Make the environment: an undefined name is an error, and blocks leave no blank lines behind."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("doraflow", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["literal"] = literal
    made.filters["docstring"] = docstring
    made.filters["shell"] = shlex.quote
    return made
