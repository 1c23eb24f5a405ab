"""The page of the command line, docs/cli.md, written from the commands themselves.

Only what `--help` shows is used, so that page and help cannot disagree; what else the page says stands in `BEFORE` and
`AFTER`.
"""

from __future__ import annotations

import inspect
import re
from enum import Enum
from typing import TYPE_CHECKING, Annotated, get_args, get_origin

from doraflow.cli import manual
from doraflow.cli.main import RUN, TOOLS, WRITE, app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEFORE = """\
# The command line

Written by `doit docs` from the commands themselves. Every command has `--help`, `--quiet` (nothing but errors and the
data that is asked for) and `--verbose` (each stage with its time, what build commands print).

- Exit codes: 0 all went well, 1 the dataflow or a node has faults, 2 the command was not understood, 130 after Ctrl-C.
- Data go to standard output, everything else to standard error. Colours are left out where nobody looks, with
  `NO_COLOR` and with `TERM=dumb`.
- `doraflow --install-completion` lets bash, zsh or fish propose commands, options, codes, runs, nodes and profiles;
  `doraflow --show-completion` prints what it would install.

- Environment:
{environment}

![The wizard of doraflow init](wizard.svg)

![A build that failed](failed-build.svg)
"""

AFTER = """\
## Data for scripts

Every command that prints data has `--output json`, and `--format` means the same. `new node` has `--format` alone:
`--output` names an output of the node there. `doraflow schema --output-of COMMAND` prints the JSON Schema of it; all of
them stand in `schema/output/`. Of `run`, `inspect` and `logs` each line is an object. Keys keep their meaning within a
`version`, and new ones may be added. `schema` prints JSON in any case; `top` is a screen, and `lsp` is for editors.

## Progress for scripts

`build`, `run` and `deploy` write their progress to standard error. With `--progress json` each line is an object, as
`schema/progress.schema.json` tells:

```json
{"type": "stage", "stage": "building", "state": "done", "subject": "camera", "detail": null, "seconds": 1.204}
```

`stage` is `loading`, `building`, `generating`, `locking` or `starting`, of a deploy also `connecting`, `opening`,
`comparing`, `copying`, `preparing`, `looking at keys`, `handing keys`, `checking`, `switching`, `stopping` or `asking`
with a host as `subject`; `state` is `started`, `done`, `failed` or `unchanged`, and `seconds` is null at a begin.

With `run --output json` what the nodes say and what the launcher tells stand on standard output, one object a line with
the `type` `log`, `event` or `diagnostic`.
"""

_MARKUP = re.compile(r"\[/?(?:bold|dim|cyan|green)?\]")
_SHARED = ("quiet", "verbose")


def page() -> str:
    """Write the page."""
    variables = "\n".join(f"  - `{name}`: {told}" for name, told in manual.VARIABLES.items())
    parts = [BEFORE.replace("{environment}", variables)]
    for panel in (WRITE, RUN, TOOLS):
        parts.append(f"## {panel}\n")
        for command in app.registered_commands:
            if command.rich_help_panel == panel and command.callback is not None:
                parts += _command(str(command.name), command.callback)
        for group in app.registered_groups:
            if group.rich_help_panel == panel and group.typer_instance is not None:
                for command in group.typer_instance.registered_commands:
                    if command.callback is not None:
                        parts += _command(f"{group.name} {command.name}", command.callback)
    return "\n".join([*parts, AFTER])


def _command(name: str, callback: Callable[..., object]) -> Iterator[str]:
    yield f"### doraflow {name}\n"
    yield f"{_MARKUP.sub('', manual.help_of(callback))}\n"
    examples = "\n".join(manual.examples_of(name, callback))
    yield f"```text\n{examples}\n```\n"
    rows = [_row(parameter) for parameter in _parameters(callback)]
    if rows:
        yield "\n".join(["| argument or option | what it does |", "|---|---|", *rows]) + "\n"
    if name in manual.MANUALS:
        yield "\n".join(_facts(name, manual.MANUALS[name])) + "\n"


def _facts(name: str, known: manual.Manual) -> Iterator[str]:
    codes = "; ".join(f"{code} {meaning}" for code, meaning in manual.exits_of(name)[:2])
    yield f"Exit codes: {codes}."
    if known.environment:
        yield f"Environment: {', '.join(f'`{variable}`' for variable in known.environment)}."
    if known.see_also:
        yield f"See also: {', '.join(f'`doraflow {other}`' for other in known.see_also)}."


def _parameters(callback: Callable[..., object]) -> Iterator[inspect.Parameter]:
    """List what can be given to a command, without what every command has."""
    for parameter in inspect.signature(callback).parameters.values():
        if get_origin(parameter.annotation) is Annotated and parameter.name not in _SHARED:
            yield parameter


def _row(parameter: inspect.Parameter) -> str:
    kind, told = get_args(parameter.annotation)[:2]
    choices = [each for each in (kind, *get_args(kind)) if inspect.isclass(each) and issubclass(each, Enum)]
    value = told.metavar or ("|".join(str(each.value) for each in choices[0]) if choices else "")
    written = [told.default, *(told.param_decls or ())]  # typer takes the first name for a default until it reads it
    names = ", ".join(f"`{name}`" for name in written if isinstance(name, str) and name.startswith("-"))
    shown = f"{names} `{value}`" if names and value else names or f"`{value}`"
    default = parameter.default
    is_shown = told.show_default is True and default not in (None, False, True, "", inspect.Parameter.empty)
    after = f" Default: `{default.value if isinstance(default, Enum) else default}`." if is_shown else ""
    if isinstance(told.show_default, str):
        after = f" Default: {told.show_default}."
    return f"| {_safe(shown)} | {_safe(' '.join((told.help or '').split()))}{after} |"


def _safe(text: str) -> str:
    return text.replace("|", "\\|")
