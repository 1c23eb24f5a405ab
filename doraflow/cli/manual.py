"""What `--help` says below the options of a command: examples, exit codes, environment, and what to see also.

The first example stands in the command's docstring; the rest is listed here. Nothing heavy is imported.
"""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Manual(NamedTuple):
    """More on a command: examples, what its exit codes mean, the variables that it reads, and related commands."""

    examples: tuple[str, ...] = ()
    done: str = "all went well"
    failed: str = "the dataflow has faults, or what was asked for cannot be done"
    environment: tuple[str, ...] = ()
    see_also: tuple[str, ...] = ()


_CACHE, _STATE, _RUNS = "XDG_CACHE_HOME", "XDG_STATE_HOME", "DORAFLOW_RUN_BASE"
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        _CACHE: "where results, built bundles and build logs are kept, instead of `~/.cache`",
        _STATE: "where the logs of runs are kept, instead of `~/.local/state`",
        _RUNS: "where runs are found, instead of a folder of this user in /dev/shm",
        "XDG_CONFIG_HOME": "where `doraflow/top.toml` is looked for, instead of `~/.config`",
        "DORAFLOW_KEYS": "the folder of keys, instead of `doraflow/keys` in the user's configuration",
        "NO_COLOR": "leaves colours out, whatever its value",
        "DORAFLOW_CORE": "`off` does without the compiled core",
    }
)
_ASKED = "there is no such run or node, it refused, or it did not answer in time"
_RUNNING = "the dataflow or a node has faults"
MANUALS: Mapping[str, Manual] = MappingProxyType(
    {
        "init": Manual(
            ("doraflow init", "doraflow init robot --from old.yml --yes"),
            failed="nothing was written: files are in the way, or the dataflow has faults",
            see_also=("new node", "check", "run"),
        ),
        "check": Manual(
            ("doraflow check dataflow.yml --strict", "doraflow check patrol.yml dock.yml --output github"),
            done="no errors",
            failed="there are errors, with `--strict` also warnings",
            environment=(_CACHE,),
            see_also=("explain", "build", "migrate"),
        ),
        "build": Manual(
            ("doraflow build dataflow.yml --check", "doraflow build dataflow.yml --rebuild --jobs 2"),
            failed="there are errors, a build command failed, or `--check` found the bundle out of date",
            environment=(_CACHE,),
            see_also=("check", "run", "doctor"),
        ),
        "graph": Manual(("doraflow graph dataflow.yml",), see_also=("plan", "expand")),
        "expand": Manual(("doraflow expand dataflow.yml --profile robot",), see_also=("graph", "migrate")),
        "plan": Manual(("doraflow plan dataflow.yml --output json",), see_also=("lock", "graph", "build")),
        "lock": Manual(
            ("doraflow lock dataflow.yml", "doraflow lock dataflow.yml --check", "doraflow lock dataflow.yml --update"),
            failed="there are errors, or `--check` found the lock out of date",
            see_also=("plan", "build"),
        ),
        "migrate": Manual(
            ("doraflow migrate dataflow.yml > modern.yml", "doraflow migrate --check dataflow.yml"),
            failed="the file cannot be rewritten, or `--check` found it old",
            see_also=("check", "expand"),
        ),
        "new node": Manual(
            ("doraflow new node planner --in robot/dataflow.yml --machine edge",),
            failed="nothing was added: the dataflow has faults, or a file is in the way",
            see_also=("init", "check"),
        ),
        "run": Manual(
            ("doraflow run dataflow.yml --profile robot", "doraflow run dataflow.yml --output json"),
            done="every node ended well, or the run was stopped as asked",
            failed=_RUNNING,
            environment=(_CACHE, _STATE, _RUNS, "DORAFLOW_CORE"),
            see_also=("start", "logs", "status", "top"),
        ),
        "start": Manual(
            ("doraflow start dataflow.yml --detach", "doraflow start dataflow.yml --detach --output json"),
            done="with `--detach` every node has started; without it as `run`",
            failed=_RUNNING,
            environment=(_CACHE, _STATE, _RUNS, "DORAFLOW_CORE"),
            see_also=("list", "status", "logs", "stop", "run"),
        ),
        "stop": Manual(
            ("doraflow stop", "doraflow stop night --now", "doraflow stop night --node camera"),
            done="nothing of the run, or of the node, is left",
            failed="there is no such run or node, or it has not ended in time",
            environment=(_RUNS,),
            see_also=("list", "restart", "start"),
        ),
        "restart": Manual(("doraflow restart --run night",), "it has begun", _ASKED, (_RUNS,), ("status", "stop")),
        "pause": Manual(("doraflow pause camera --run night",), "the node is paused", _ASKED, (_RUNS,), ("resume",)),
        "resume": Manual(("doraflow resume camera --run night",), "the node goes on", _ASKED, (_RUNS,), ("pause",)),
        "list": Manual(
            ("doraflow list",),
            done="also where nothing runs",
            environment=(_RUNS,),
            see_also=("status", "top", "start"),
        ),
        "status": Manual(
            ("doraflow status", "doraflow status night --timeout 20"),
            failed=_ASKED,
            environment=(_RUNS,),
            see_also=("list", "top", "logs", "inspect"),
        ),
        "top": Manual(
            ("doraflow top --config night.toml",),
            failed="the settings cannot be used",
            environment=("XDG_CONFIG_HOME", _RUNS),
            see_also=("status", "logs"),
        ),
        "inspect": Manual(
            ("doraflow inspect camera/image --seconds 5 --output json",),
            failed="there is no such output, or nothing came on it",
            environment=(_RUNS,),
            see_also=("status", "logs"),
        ),
        "logs": Manual(
            (
                "doraflow logs camera --level warn --since 10m",
                "doraflow logs --run hello --tail 20",
                "doraflow logs --filter 'no frame' --output csv",
            ),
            done="there is a log, also if nothing in it is wanted",
            failed="there is no such run or node",
            environment=(_STATE, _RUNS),
            see_also=("run", "status", "top"),
        ),
        "deploy": Manual(
            (
                "doraflow deploy dataflow.yml --inventory hosts.yml --dry-run",
                "doraflow deploy dataflow.yml --inventory hosts.yml --rollback --start",
            ),
            done="every host has what was asked for",
            failed="a host failed: the report says what stands where, and no host went ahead of the others",
            environment=(_CACHE,),
            see_also=("build", "plan", "start"),
        ),
        "sign": Manual(
            done="the bundle is signed",
            failed="the key cannot be used, or the bundle is not as it was built",
            see_also=("verify", "build", "keys signing"),
        ),
        "verify": Manual(
            ("doraflow verify bundle",),
            environment=("DORAFLOW_KEYS",),
            done="the bundle is as it was built, or as it was signed",
            failed="it is not",
            see_also=("sign", "build"),
        ),
        "doctor": Manual(("doraflow doctor",), failed="there is a problem", see_also=("build", "run")),
        "explain": Manual(("doraflow explain",), "the page was printed", "", see_also=("check",)),
        "schema": Manual(
            ("doraflow schema > dataflow.schema.json", "doraflow schema --kind inventory"),
            "the schema was printed",
            "",
            see_also=("check", "lsp"),
        ),
        "lsp": Manual(failed="the language server is not installed", see_also=("check", "schema")),
    }
)
_MARK = "Example: "


def help_of(command: Callable[..., object]) -> str:
    """Give the docstring of a command without its example."""
    return (inspect.getdoc(command) or "").partition(_MARK)[0].strip()


def examples_of(name: str, command: Callable[..., object]) -> list[str]:
    """List the examples of a command, that of its docstring first."""
    first = " ".join((inspect.getdoc(command) or "").partition(_MARK)[2].split())
    return [first, *MANUALS.get(name, Manual()).examples]


def exits_of(name: str) -> list[tuple[str, str]]:
    """List the exit codes of a command and what they mean."""
    manual = MANUALS.get(name, Manual())
    failed = [("1", manual.failed)] if manual.failed else []
    return [("0", manual.done), *failed, ("2", "the command was not understood"), ("130", "ended by Ctrl-C")]


def epilog_of(name: str, command: Callable[..., object]) -> str:
    """Write what stands below the options; each part is a paragraph."""
    manual = MANUALS.get(name, Manual())
    environment = (*manual.environment, "NO_COLOR")
    parts = [
        _part("Examples", [f"$ {example}" for example in examples_of(name, command)]),
        _part("Exit codes", [f"{code:<3}  {meaning}" for code, meaning in exits_of(name)]),
        _part("Environment", [f"{variable:<17}  {VARIABLES[variable]}" for variable in environment]),
    ]
    if manual.see_also:
        parts.append(_part("See also", [", ".join(f"doraflow {other}" for other in manual.see_also)]))
    return "\n\n".join(parts)


def _part(title: str, lines: list[str]) -> str:
    safe = [line.replace("[", "\\[") for line in lines]
    return "\n".join([f"[bold]{title}[/bold]", *(f"  {line}" for line in safe)])
