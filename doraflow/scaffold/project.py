"""A new project: a dataflow's text in; the dataflow, its skeletons, a README and a .gitignore out.

Nothing is written to disk here. A dataflow with findings is not taken: a project is to begin without any.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.codegen.fileset import FileSet, GeneratedFile
from doraflow.codegen.templating import environment
from doraflow.diagnostics import Severity
from doraflow.pipeline import Options, check, plan
from doraflow.scaffold.skeletons import script_of, skeleton_files

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.ir import Graph
    from doraflow.pipeline import Compilation

DATAFLOW = "dataflow.yml"

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Project:
    """A new project: what the compiler says of its dataflow, and its files; none after findings."""

    made: Compilation
    files: FileSet | None


def project_of(text: str, folder: Path) -> Project:
    """Make the project of a dataflow that is to stand in `folder`."""
    source = folder / DATAFLOW
    made = check(source, Options(check_sources=False, unsaved={source.as_posix(): text}))
    planned = plan(made)
    grave = [found for found in made.diagnostics() if found.severity is not Severity.NOTE]
    if planned is None or grave:
        return Project(made, None)
    return Project(made, _files(planned.graph, text))


def name_of(folder: Path) -> str:
    """Make the name of a dataflow from that of its folder.

    >>> from pathlib import Path
    >>> name_of(Path("/work/My Robot 2"))
    'my_robot_2'
    >>> name_of(Path("/work/Größe"))
    'grosse'
    """
    letters = unicodedata.normalize("NFKD", folder.name.casefold()).encode("ascii", "ignore").decode()
    name = _NOT_IN_A_NAME.sub("_", letters).strip("_")
    return name if name[:1].isalpha() else f"dataflow_{name}".strip("_")


def _files(graph: Graph, text: str) -> FileSet:
    skeletons = skeleton_files(graph)
    templates = environment()
    described = [
        {
            "id": node.id,
            "reads": [f"`{port.source}`" for port in node.inputs],
            "sends": [f"`{port.id}`" for port in node.outputs],
        }
        for node in graph.nodes
    ]
    scripts = list(dict.fromkeys(path for path in map(script_of, graph.nodes) if path))
    readme = templates.get_template("project_readme.md.j2").render(
        name=graph.name, file=DATAFLOW, nodes=described, scripts=scripts
    )
    ignored = templates.get_template("project_gitignore.j2").render(name=graph.name)
    return FileSet.of(
        [
            GeneratedFile(DATAFLOW, text.encode()),
            GeneratedFile("README.md", readme.encode()),
            GeneratedFile(".gitignore", ignored.encode()),
            *skeletons,
        ]
    )
