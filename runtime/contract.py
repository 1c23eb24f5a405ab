"""The contract between compiler and runtime: plan and wiring types, and their JSON form.

Both sides import this module, so it needs the standard library alone. A change that an older runtime would
misread raises CONTRACT_VERSION; generated stubs and wiring tables carry the version they were made for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

CONTRACT_VERSION = 1

PATH_VARIABLES = ("HOME", "USER", "DORA_WORKSPACE", "CARGO_MANIFEST_DIR", "PWD")
"""What a path may refer to; anything else that looks like a variable is part of the path."""

QueuePolicy: TypeAlias = Literal["drop_oldest", "backpressure"]
ProcessKind: TypeAlias = Literal["python", "executable", "shell", "operators"]
SpawnMode: TypeAlias = Literal["fork", "exec"]
Transport: TypeAlias = Literal["shm", "zmq", "zenoh"]
ZenohMode: TypeAlias = Literal["peer", "client"]
ZenohProtocol: TypeAlias = Literal["tcp", "tls"]
LogLevel: TypeAlias = Literal["error", "warn", "info", "debug", "trace", "stdout"]

LOG_LEVELS: tuple[LogLevel, ...] = ("error", "warn", "info", "debug", "trace", "stdout")
"""From the gravest on. The last is that of lines to which their program gave no level: no other lets them pass."""
RestartPolicy: TypeAlias = Literal["never", "on-failure", "always"]

DEFAULT_QUEUE_SIZE = 10

DEFAULT_PORTS = (29400, 29655)
"""The TCP ports for links between hosts where the dataflow names none: below those that systems give to clients."""

FEWEST_FORKED = 2
"""Nodes that make a warm process worth while: it takes as long to start as one of them."""

HEALTH_CHECK_INTERVAL = 5.0
"""Seconds between two looks at the health of nodes, where the dataflow does not say."""


class ContractError(ValueError):
    """A plan or wiring table that this runtime cannot take; the message says which side to mend."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """An Arrow type without children, by its name in type files: `Float32`, `UInt8`, `Utf8`, `LargeBinary`, …."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """An Arrow LargeList of `item`."""

    item: DataType


@dataclass(frozen=True, slots=True)
class Field:
    """A named member of a struct."""

    name: str
    type: DataType


@dataclass(frozen=True, slots=True)
class Struct:
    """An Arrow Struct; `urn` is the type's full name without parameters, such as `std/media/v1/Image`."""

    urn: str
    fields: tuple[Field, ...]


DataType: TypeAlias = Scalar | ListOf | Struct

SCALARS = frozenset(
    {"Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"}
    | {"Utf8", "LargeUtf8", "Binary", "LargeBinary"}
)


@dataclass(frozen=True, slots=True)
class InputWiring:
    """One input of a node. On a node of operators `id` is `operator/input`.

    `source` is the normalised text of the dataflow (`camera/image`, `dora/timer/millis/100`); a timer has an
    `interval_ns` above 0 and no link. `timeout` is after how many seconds without a message the input counts as closed;
    0 is for never.
    """

    id: str
    source: str
    queue_size: int = DEFAULT_QUEUE_SIZE
    queue_policy: QueuePolicy = "drop_oldest"
    interval_ns: int = 0
    data_type: DataType | None = None
    timeout: float = 0.0


@dataclass(frozen=True, slots=True)
class OutputWiring:
    """One output of a node. On a node of operators `id` is `operator/output`."""

    id: str
    data_type: DataType | None = None


@dataclass(frozen=True, slots=True)
class OperatorWiring:
    """An operator that runs inside its node's process; `path` is relative to the source root."""

    id: str
    language: Literal["python"]
    path: str


@dataclass(frozen=True, slots=True)
class LogRules:
    """What becomes of the log of a node, beside its file and the console.

    `lines_to` and `records_to` name outputs of the node that carry its lines of output, and its structured records;
    empty for none. Records below `lowest` are dropped. A log file larger than `largest_file` bytes is put aside, and
    `kept_files` of those are kept; 0 bytes is no limit.
    """

    lines_to: str = ""
    records_to: str = ""
    lowest: LogLevel = "stdout"
    largest_file: int = 0
    kept_files: int = 5


@dataclass(frozen=True, slots=True)
class NodeWiring:
    """The ports of one node, and its operators if it has any.

    `shared_memory` is how many bytes of it the node may have; 0 is for the runtime's own limit. `shared_memory_ready`
    bytes are made ready at the start, in pages of 2 MiB if `huge_pages` is set. `spin_us` is how long the node looks
    for a message before it sleeps, in microseconds. A `dynamic` node is started by hand: no launcher has a process for
    it. `port` is the TCP port on which the node listens for producers on other hosts; 0 if it has none there.
    """

    id: str
    inputs: tuple[InputWiring, ...] = ()
    outputs: tuple[OutputWiring, ...] = ()
    operators: tuple[OperatorWiring, ...] = ()
    shared_memory: int = 0
    spin_us: int = 0
    logs: LogRules = LogRules()
    shared_memory_ready: int = 0
    huge_pages: bool = False
    dynamic: bool = False
    port: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """One edge: the producer's output into the consumer's input. `index` names the edge on the wire (1 to 65535)."""

    index: int
    producer: str
    output: str
    consumer: str
    input: str
    transport: Transport = "shm"
    format: str = "arrow"


@dataclass(frozen=True, slots=True)
class FarNode:
    """A node of another host at the other end of a link.

    One that is sent to has the `inputs` that are fed from here, and the TCP `port` on which it listens.
    """

    id: str
    host: str
    port: int = 0
    inputs: tuple[InputWiring, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """Another host of the dataflow: its address by the inventory, or its name, and the TCP port of its launcher."""

    host: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Fabric:
    """A zenoh network as the way between hosts.

    In `peer` mode nodes connect to one another, by `protocol`, and to the endpoints in `connect`; in `client` mode to
    these alone, which are routers. `config` is a file for zenoh, relative to the source root. In the configuration of a
    node `listen` and `connect` are all its endpoints.
    """

    mode: ZenohMode = "peer"
    protocol: ZenohProtocol = "tcp"
    connect: tuple[str, ...] = ()
    config: str = ""
    listen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostWiring:
    """`wiring/<host>.json`: the nodes of one host, and every link that starts or ends there.

    `far` are the nodes of other hosts that such a link joins, and `peers` all other hosts. `port` is the TCP port of
    this host's launcher, 0 where the dataflow has no other host. `insecure` says that links between hosts are neither
    encrypted nor is anyone asked for a key. `fabric` is given where links between nodes go over zenoh.
    """

    contract: int
    dataflow: str
    host: str
    nodes: tuple[NodeWiring, ...]
    links: tuple[Link, ...]
    exit_when_nodes_finish: bool = False
    health_check_interval: float = HEALTH_CHECK_INTERVAL
    far: tuple[FarNode, ...] = ()
    peers: tuple[Peer, ...] = ()
    port: int = 0
    insecure: bool = False
    fabric: Fabric | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One row of a launcher's table: what to start for a node.

    `path` and `working_directory` are relative to the source root (the bundle's `nodes/`, or the dataflow's own folder
    under `doraflow run`); an `executable` whose path has no `/` may also be a command on PATH. `env` values may hold
    `$NAME`, `${NAME}` and `${NAME:-default}`, filled in from the host's environment when the process starts; `$$` is a
    dollar sign. `path` may hold these forms for the names of PATH_VARIABLES alone.
    `place` is where the dataflow defines the node, for messages. `spawn` is how a process that runs Python is started:
    forked from one that is warm, where that makes no difference to it, or executed; any other is always executed.

    The restart keys are the dataflow's: `max_restarts` 0 is for no limit, times are in seconds. `health_check_timeout`
    is how long the process may show no sign of life once it has joined, and `startup_timeout` how long it may take to
    join; 0 is for any time. `finish_grace` is how long it may go on when nothing more comes in and all others have
    finished; None is for the launcher's `--finish-grace`.
    """

    node: str
    kind: ProcessKind
    path: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    working_directory: str = "."
    cpu_affinity: tuple[int, ...] = ()
    place: str = ""
    spawn: SpawnMode = "fork"
    restart_policy: RestartPolicy = "never"
    max_restarts: int = 0
    restart_delay: float = 0.0
    max_restart_delay: float | None = None
    restart_window: float | None = None
    health_check_timeout: float = 0.0
    startup_timeout: float = 0.0
    finish_grace: float | None = None

    @property
    def is_forkable(self) -> bool:
        """Whether the process may be forked from a warm one, unless its variables forbid that.

        One with CPUs of its own may not: libraries count the processors of their process when they are imported.
        """
        return self.kind in ("python", "operators") and self.spawn == "fork" and not self.cpu_affinity


@dataclass(frozen=True, slots=True)
class OutgoingLink:
    """A link as its producer sees it: `address` is the consumer's socket, relative to the run directory.

    Between hosts it is the consumer's TCP endpoint, `tcp://ADDRESS:PORT`, and `host` the name of its host.
    """

    link: Link
    address: str
    queue_size: int
    queue_policy: QueuePolicy
    host: str = ""


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What the launcher writes for one node process, as `nodes/<index>.json` in the run directory.

    `listen` and `launcher` are Unix stream sockets, relative to the run directory; `run_id` names the run.
    `exit_when_nodes_finish` is the dataflow's flag. `returning` are the producers of this node that may be started
    again: when one of them hangs up, its outputs stay open until the launcher says that it has ended for good.
    `sign_seconds` is how often a node that is busy shows that it lives; 0 is for never. `listen_far` is the TCP
    endpoint for producers on other hosts, empty for none; `hosts` are the hosts of those, by node. `keys` is the folder
    with the keys of `host`, on which the node runs. `log` is a named pipe for the log lines of a dynamic node, relative
    to the run directory.
    """

    contract: int
    dataflow: str
    run_id: str
    node: NodeWiring
    listen: str
    launcher: str
    incoming: tuple[Link, ...]
    outgoing: tuple[OutgoingLink, ...]
    source_root: str
    descriptor: str = ""
    exit_when_nodes_finish: bool = False
    restart_count: int = 0
    returning: tuple[str, ...] = ()
    sign_seconds: float = 0.0
    host: str = ""
    listen_far: str = ""
    hosts: dict[str, str] = field(default_factory=dict)
    keys: str = ""
    insecure: bool = False
    log: str = ""
    fabric: Fabric | None = None
