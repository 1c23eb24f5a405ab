"""The compiler's intermediate representation: graph and plan, frozen, without behaviour beyond `serialize`.

A `Graph` is the dataflow with names resolved, as a user would draw it; a `Plan` is what each host does about it. Order
everywhere is the order of the source file. Spans stay attached so that every pass can point at the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from doraflow_runtime.contract import DataType, HostWiring, Process, QueuePolicy

    from doraflow.diagnostics import Span

DEFAULT_HOST = "local"


@dataclass(frozen=True, slots=True)
class PortReference:
    """`node/port`; on a node of operators the port is `operator/output`."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node}/{self.port}"


@dataclass(frozen=True, slots=True)
class Timer:
    """`dora/timer/...`: a tick each `interval_ns` nanoseconds; `text` is the source as written."""

    interval_ns: int
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class LogSubscription:
    """`dora/logs[/LEVEL[/NODE]]`: the log lines of all nodes, or of one, from a level upwards."""

    level: str | None
    node: str | None

    def __str__(self) -> str:
        return "/".join(["dora/logs", *filter(None, (self.level, self.node))])


Source: TypeAlias = PortReference | Timer | LogSubscription


@dataclass(frozen=True, slots=True)
class Input:
    """An input port. `id` is `operator/input` on a node of operators.

    `span` marks the id, `source_span` the text of the source. `type_name` is the annotation as written; `data_type` is
    what the type pass made of it or inferred from the other end, None where nothing is known. Where the source is
    written inside a module, `scope` is what the module puts before the ids of its nodes (`outer.`).
    """

    id: str
    source: Source
    span: Span
    source_span: Span
    queue_size: int = 10
    queue_policy: QueuePolicy = "drop_oldest"
    queue_span: Span | None = None
    input_timeout: float | None = None
    type_name: str | None = None
    type_span: Span | None = None
    data_type: DataType | None = None
    timeout_span: Span | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output port. `id` is `operator/output` on a node of operators."""

    id: str
    span: Span
    type_name: str | None = None
    type_span: Span | None = None
    data_type: DataType | None = None
    framing: Literal["raw", "arrow-ipc"] = "raw"
    metadata_keys: tuple[str, ...] = ()


OperatorLanguage: TypeAlias = Literal["python", "shared-library", "wasm"]


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator inside a node; its ports are the node's, prefixed with `id/`.

    `sole` tells that it was given as the node's one `operator`: its outputs are then read without its id. `settings`
    and `setting_spans` are as on a node.
    """

    id: str
    language: OperatorLanguage
    path: str
    span: Span
    path_span: Span
    build: str | None = None
    build_span: Span | None = None
    sole: bool = False
    conda_env: str | None = None
    settings: dict[str, object] = field(default_factory=dict)
    setting_spans: dict[str, Span] = field(default_factory=dict)


NodeKind: TypeAlias = Literal["python", "executable", "shell", "operators", "dynamic", "ros2", "hub", "url"]


@dataclass(frozen=True, slots=True)
class BuildStep:
    """The `build:` text of a node, an operator or a module: one command a line, run in `working_directory`."""

    owner: str
    commands: tuple[str, ...]
    span: Span
    working_directory: str = "."
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A node: one process on one host.

    `span` marks the id. `path` is as written, relative to the dataflow's folder. `settings` are the keys that are
    carried but do not shape the graph (restart, logging, …), normalised to JSON values, in the order of the file;
    `setting_spans` marks their keys, `affinity_span` the list of cores. `deployment` holds the keys of `deploy` beside
    `machine` and `working_dir`.
    """

    id: str
    kind: NodeKind
    span: Span
    path: str = ""
    path_span: Span | None = None
    args: tuple[str, ...] = ()
    args_span: Span | None = None
    env: dict[str, str] = field(default_factory=dict)
    working_directory: str = "."
    working_directory_span: Span | None = None
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    operators: tuple[Operator, ...] = ()
    builds: tuple[BuildStep, ...] = ()
    git: str | None = None
    machine: str | None = None
    machine_span: Span | None = None
    host: str = DEFAULT_HOST
    cpu_affinity: tuple[int, ...] = ()
    affinity_span: Span | None = None
    settings: dict[str, object] = field(default_factory=dict)
    setting_spans: dict[str, Span] = field(default_factory=dict)
    deployment: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pin:
    """The machine that the lock has for a node, and where it says so.

    A firm one holds whatever the node asks for; any other holds as long as the machine can take the node.
    """

    host: str
    span: Span
    is_firm: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A resolved connection from an output to an input; `span` is the text of the input's source."""

    producer: str
    output: str
    consumer: str
    input: str
    span: Span


@dataclass(frozen=True, slots=True)
class Host:
    """A machine of the inventory, by the name that the dataflow uses; `memory` is in bytes.

    `folder` is where `doraflow deploy` puts versions on it.
    """

    name: str
    address: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    span: Span | None = None
    cores: int | None = None
    memory: int | None = None
    ssh: str | None = None
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class TypeRule:
    """A user's rule that an output of type `source` may feed an input of type `target`."""

    source: str
    target: str
    span: Span
    source_span: Span | None = None
    target_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """A dataflow with its names resolved. `source` is the file's base name: no path of a machine enters the plan.

    `file` is the path as the user gave it, for messages and to shorten the files of spans; it is never written out.
    `builds` are the build steps of modules, to be run before those of the nodes. `incomplete` tells that something of
    the nodes could not be read: nothing is then to be concluded from what the graph lacks; `knows_machines` is
    false where a part of the inventory could not be read. `exports` is given for a
    module file by itself: the outputs, as `node/output`, that a dataflow around it may read. `pins` are the machines
    of nodes that name none, as the lock has them.
    """

    name: str
    source: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    hosts: tuple[Host, ...] = ()
    type_rules: tuple[TypeRule, ...] = ()
    strict_types: bool = False
    exit_when_nodes_finish: bool = False
    settings: dict[str, object] = field(default_factory=dict)
    setting_spans: dict[str, Span] = field(default_factory=dict)
    file: str = ""
    builds: tuple[BuildStep, ...] = ()
    incomplete: bool = False
    knows_machines: bool = True
    exports: frozenset[str] | None = None
    pins: dict[str, Pin] = field(default_factory=dict)
    _by_id: dict[str, Node] = field(default_factory=dict, init=False, repr=False, compare=False)

    def node(self, node_id: str) -> Node:
        """Look up a node by id; KeyError if there is none."""
        if not self._by_id:
            self._by_id.update((node.id, node) for node in reversed(self.nodes))
        return self._by_id[node_id]


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What one host runs."""

    host: str
    processes: tuple[Process, ...]
    wiring: HostWiring


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole dataflow lowered: a plan per host, in the order in which the file first names the hosts.

    `graph` is kept for what describes rather than runs: the resolved YAML, the stubs and the picture. `sources` are
    the files that the dataflow names, relative to its folder, as far as they lie inside it.
    """

    graph: Graph
    hosts: tuple[HostPlan, ...]
    sources: tuple[str, ...]


def serialize(value: Graph | Plan) -> str:
    r"""Write a graph or plan as short readable lines, without spans, for tests and for reading.

    >>> serialize(Graph("demo", "demo.yml", (), ()))
    'dataflow demo\n'
    """
    graph = value.graph if isinstance(value, Plan) else value
    lines = [f"dataflow {graph.name}"]
    for node in graph.nodes:
        lines.append(f"node {node.id} {node.kind} {node.path} @{node.host}".replace("  ", " "))
        lines += [f"  in {port.id} <- {port.source} {port.queue_policy}:{port.queue_size}" for port in node.inputs]
        lines += [f"  out {port.id}" for port in node.outputs]
    lines += [f"edge {edge.producer}/{edge.output} -> {edge.consumer}/{edge.input}" for edge in graph.edges]
    if isinstance(value, Plan):
        lines += [f"host {host.host}: {' '.join(process.node for process in host.processes)}" for host in value.hosts]
    return "\n".join(lines) + "\n"
