"""What `deploy` says of a node: its own keys, those of the node that includes its module, those of the whole dataflow.

Which host follows from it is decided in `doraflow.analysis.place`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.analysis.settings import DEPLOYMENT_SETTINGS, Settings, settings_of
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from doraflow.diagnostics import Span
    from doraflow.parser.document import Declared, Document
    from doraflow.parser.syntax import SyntaxNode


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a node is to run. `machine_span` and `folder_span` mark the texts that name machine and folder."""

    machine: str | None = None
    machine_span: Span | None = None
    folder: str = "."
    folder_span: Span | None = None
    settings: Settings = field(default_factory=Settings)


def read_deployment(document: Document, declared: Declared) -> Deployment:
    """Join the `deploy` of a node and of its dataflow, key by key; the node's own wins.

    A machine and labels are two ways to choose: a node that has one of its own leaves the dataflow's other aside.
    """
    own, shared = declared.node.deploy, document.dataflow.deploy
    written = document.syntax.get("deploy")
    inherited = DEPLOYMENT_SETTINGS - {"labels"} if own is not None and own.machine else DEPLOYMENT_SETTINGS
    settings = _joined(settings_of(shared, written, inherited), _own_settings(declared))
    given = [deploy for deploy in (own, shared) if deploy is not None]
    folder = next((deploy.working_dir for deploy in given if deploy.working_dir), ".")
    at = _folder_span(document, declared)
    if own is not None and own.machine:
        span = _span_of("machine", declared.syntax.get("deploy"))
        outer = declared.module.span if declared.module is not None else None
        return Deployment(own.machine, span or outer, folder, at, settings)
    if shared is not None and shared.machine and not (own is not None and own.labels):
        return Deployment(shared.machine, _span_of("machine", written), folder, at, settings)
    return Deployment(folder=folder, folder_span=at, settings=settings)


def _own_settings(declared: Declared) -> Settings:
    """Read the node's own keys, or those of the node that includes its module, which stand where that is."""
    deploy = declared.node.deploy
    syntax = declared.syntax.get("deploy")
    if deploy is None or isinstance(syntax, MappingNode) or declared.module is None:
        return settings_of(deploy, syntax, DEPLOYMENT_SETTINGS)
    values = deploy.model_dump(mode="json", exclude_unset=True, include=set(DEPLOYMENT_SETTINGS))
    return Settings(values, dict.fromkeys(values, declared.module.span))


def _joined(shared: Settings, own: Settings) -> Settings:
    return Settings({**shared.values, **own.values}, {**shared.spans, **own.spans})


def _folder_span(document: Document, declared: Declared) -> Span | None:
    own = declared.node.deploy
    if own is not None and own.working_dir:
        outer = declared.module.span if declared.module is not None else None
        return _span_of("working_dir", declared.syntax.get("deploy")) or outer
    return _span_of("working_dir", document.syntax.get("deploy"))


def _span_of(key: str, deploy: SyntaxNode | None) -> Span | None:
    value = deploy.get(key) if isinstance(deploy, MappingNode) else None
    return value.span if value is not None else None
