"""`doraflow graph` and `doraflow expand`: a dataflow drawn, and written out."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doraflow.cli.arguments import File, Inventory, Profile
from doraflow.cli.outputs import show_json

if TYPE_CHECKING:
    from doraflow.ir import Graph
    from doraflow.pipeline import Compilation, Options


class Picture(StrEnum):
    """How a graph is drawn."""

    MERMAID = "mermaid"
    DOT = "dot"
    HTML = "html"
    JSON = "json"


class Written(StrEnum):
    """How a dataflow is written out."""

    YAML = "yaml"
    JSON = "json"


def graph(
    file: File,
    form: Annotated[
        Picture, typer.Option("--output", "--format", help="The picture's language; JSON lists nodes and edges.")
    ] = Picture.MERMAID,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write to a file.", show_default=False)
    ] = None,
    inventory: Inventory = None,
    profile: Profile = None,
) -> None:
    """Draw a dataflow as Mermaid, Graphviz DOT, or one HTML page that needs nothing from outside.

    Example: doraflow graph dataflow.yml --output html --out graph.html
    """
    text = _drawn(graph_of(file, inventory, profile), form)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"error: {out} cannot be written: {(error.strerror or str(error)).lower()}", err=True)
        raise typer.Exit(1) from None


def expand(
    file: File,
    inventory: Inventory = None,
    profile: Profile = None,
    form: Annotated[
        Written, typer.Option("--output", "--format", "-o", help="YAML, or the same as JSON.")
    ] = Written.YAML,
) -> None:
    """Print a dataflow flat: modules expanded, every default written out, hosts and types resolved.

    Example: doraflow expand dataflow.yml
    """
    from doraflow.codegen.resolved import resolved_text

    text = resolved_text(graph_of(file, inventory, profile))
    if form is Written.JSON:
        import yaml

        show_json(yaml.safe_load(text))
    else:
        sys.stdout.write(text)


def _drawn(graph: Graph, form: Picture) -> str:
    from doraflow.codegen import picture

    match form:
        case Picture.MERMAID:
            return picture.mermaid(graph)
        case Picture.DOT:
            return picture.dot(graph)
        case Picture.HTML:
            return picture.html(graph)
        case Picture.JSON:
            from doraflow.printed.drawn import drawn

            return f"{json.dumps(asdict(drawn(graph)), indent=2, ensure_ascii=False)}\n"


def graph_of(file: Path, inventory: Path | None, profile: str | None) -> Graph:
    """Check a dataflow without its sources; after errors show them and exit."""
    from doraflow.pipeline import Options

    return checked_graph(file, Options(check_sources=False, inventory=inventory, profile=profile))[0]


def checked_graph(file: Path, options: Options) -> tuple[Graph, Compilation]:
    """Check a dataflow; after errors show them and exit."""
    from doraflow.cli.report import show_findings
    from doraflow.pipeline import check

    made = check(file, options)
    if made.graph is None or made.sink.has_errors:
        show_findings(made)
        raise typer.Exit(1)
    return made.graph, made
