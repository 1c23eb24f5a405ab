"""The keys of a dataflow file: every one of dora 1.x's, and doraflow's own.

This is the definition of the language's form; a JSON schema can be generated from it. What the keys mean together is
judged in `doraflow.parser.rules` and, across nodes, in `doraflow.analysis`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from doraflow.parser.host_model import Host, Hosts, Inventory
from doraflow.parser.hub_kind import HubReference
from doraflow.parser.keys import InputOptions, Keys, LogKeys, PortKeys
from doraflow.parser.kinds import (
    Arguments,
    Boolean,
    ByteSize,
    Count,
    DataId,
    EnvironmentValue,
    NodeId,
    NothingIsEmptyList,
    NothingIsEmptyMap,
    OperatorId,
    PositiveSeconds,
    Seconds,
    Spin,
    Text,
    word,
)
from doraflow.parser.link_model import Communication, DataFormat
from doraflow.parser.machine_kinds import Cores, Memory
from doraflow.parser.ros2_model import Ros2Bridge

__all__ = [
    "Dataflow",
    "Debug",
    "Deploy",
    "Host",
    "InputOptions",
    "Inventory",
    "ModuleFile",
    "ModuleHeader",
    "Node",
    "OperatorBody",
    "OperatorDefinition",
    "Profile",
    "PythonSource",
    "Ros2Bridge",
    "SingleOperator",
    "TypeRule",
]

RestartPolicy = Annotated[Literal["never", "on-failure", "always"], word("never", "on-failure", "always")]
SpawnMode = Annotated[Literal["fork", "exec"], word("fork", "exec")]
Distribution = Annotated[Literal["local", "scp", "http"], word("local", "scp", "http")]
Environment = Annotated[dict[Text, EnvironmentValue], NothingIsEmptyMap]
Labels = Annotated[dict[Text, Text], NothingIsEmptyMap]


class Deploy(Keys):
    """Where a node runs, or where all nodes run that do not say."""

    noun: ClassVar[str] = "deployment"

    machine: Text | None = Field(default=None, description="The name of the machine.")
    working_dir: Text | None = Field(default=None, description="The folder on that machine in which the node runs.")
    labels: Labels = Field(default_factory=dict, description="Labels that the machine must carry.")
    cores: Cores | None = Field(default=None, description="How many processor cores of the machine are the node's.")
    memory: Memory | None = Field(default=None, description="How much of the machine's memory is the node's, as `2GB`.")
    distribute: Distribution = Field(default="local", description="How a built program reaches the machine.")


class Debug(Keys):
    """Switches for looking into a running dataflow."""

    noun: ClassVar[str] = "debug section"

    enable_debug_inspection: Boolean = Field(default=False, description="Make messages visible to inspection tools.")


class TypeRule(Keys):
    """A rule that lets outputs of one type feed inputs of another."""

    noun: ClassVar[str] = "type rule"

    source: Text = Field(alias="from", description="The type that is sent.")
    target: Text = Field(alias="to", description="The type that is expected.")


class PythonSource(Keys):
    """The script of a Python operator; the short form is the path alone."""

    noun: ClassVar[str] = "Python source"

    source: Text = Field(description="The path of the script.")
    conda_env: Text | None = Field(default=None, description="The conda environment to run it in.")


def _python_long_form(value: object) -> object:
    return value if isinstance(value, dict | PythonSource) else {"source": value}


PythonDefinition = Annotated[
    PythonSource, BeforeValidator(_python_long_form, json_schema_input_type=str | PythonSource)
]


class OperatorBody(PortKeys, LogKeys):
    """What an operator is, whether it stands alone or among others. Exactly one implementation is given."""

    noun: ClassVar[str] = "operator"

    name: Text | None = Field(default=None, description="A name for people.")
    description: Text | None = Field(default=None, description="What the operator does.")
    python: PythonDefinition | None = Field(default=None, description="The Python script that implements it.")
    shared_library: Text | None = Field(
        default=None, alias="shared-library", description="The library that implements it."
    )
    wasm: Text | None = Field(default=None, description="The WebAssembly module that implements it.")
    build: Text | None = Field(default=None, description="Commands that build the operator, one a line.")


class SingleOperator(OperatorBody):
    """The one operator of a node."""

    id: OperatorId | None = Field(default=None, description="The operator's id; outputs are reached without it.")


class OperatorDefinition(OperatorBody):
    """One operator of a node that runs several."""

    id: OperatorId = Field(description="The operator's id: its outputs are `node/operator/output`.")


class RestartKeys(Keys):
    """The keys that say what happens when a node ends or hangs."""

    restart_policy: RestartPolicy = Field(default="never", description="When the node is started again.")
    max_restarts: Count = Field(default=0, description="How often it is started again; 0 is without limit.")
    restart_delay: Seconds | None = Field(
        default=None, description="Seconds before the first restart; doubles each time."
    )
    max_restart_delay: Seconds | None = Field(
        default=None, description="The longest delay between restarts, in seconds."
    )
    restart_window: Seconds | None = Field(default=None, description="Seconds over which restarts are counted.")
    startup_timeout: Seconds | None = Field(default=None, description="Seconds within which the node must be ready.")
    health_check_timeout: Seconds | None = Field(
        default=None, description="Seconds of silence after which it is ended."
    )
    finish_grace_secs: Seconds | None = Field(
        default=None, description="Seconds to finish in once its inputs are closed."
    )


class Node(PortKeys, LogKeys, RestartKeys):
    """A node: one process."""

    noun: ClassVar[str] = "node"

    id: NodeId = Field(description="The node's id, unique in the dataflow.")
    name: Text | None = Field(default=None, description="A name for people.")
    description: Text | None = Field(default=None, description="What the node does.")
    path: Text | None = Field(default=None, description="A program or script, `dynamic`, or `shell`.")
    path_sha256: Text | None = Field(default=None, description="The SHA-256 digest that a downloaded `path` must have.")
    args: Arguments | None = Field(default=None, description="The command-line arguments, separated by spaces.")
    env: Environment = Field(default_factory=dict, description="Environment variables of the node and its build.")
    build: Text | None = Field(default=None, description="Commands that build the node, one a line.")
    git: Text | None = Field(default=None, description="A git repository to build from.")
    branch: Text | None = Field(default=None, description="The branch of `git`.")
    tag: Text | None = Field(default=None, description="The tag of `git`.")
    rev: Text | None = Field(default=None, description="The commit of `git`.")
    hub: HubReference | None = Field(default=None, description="A package of the hub, `namespace/name@version`.")
    operator: SingleOperator | None = Field(default=None, description="The one operator that the node runs.")
    operators: Annotated[tuple[OperatorDefinition, ...], NothingIsEmptyList] | None = Field(
        default=None, description="The operators that the node runs."
    )
    ros2: Ros2Bridge | None = Field(default=None, description="Makes the node a bridge to ROS 2.")
    module: Text | None = Field(default=None, description="A module file whose nodes stand in for this one.")
    params: Labels = Field(default_factory=dict, description="Parameters of the module.")
    data_format: DataFormat | None = Field(
        default=None, description="The format of the node's messages; `default_data_format` if not given."
    )
    shared_memory_pool_size: ByteSize | None = Field(
        default=None, description="The most shared memory of the node; 1 GiB if not given."
    )
    shared_memory_ready: ByteSize | None = Field(
        default=None, description="How much of it is made ready before the node starts; none if not given."
    )
    huge_pages: Boolean = Field(default=False, description="Whether its pages have 2 MiB, where the kernel gives them.")
    cpu_affinity: Annotated[tuple[Count, ...], NothingIsEmptyList] | None = Field(
        default=None, description="The processor cores that the node may run on."
    )
    spawn: SpawnMode | None = Field(
        default=None, description="How a Python node is started: `fork` of a warm process (default), or `exec`."
    )
    spin_us: Spin | None = Field(
        default=None,
        description="Microseconds of processor time that the node spends looking for a message before it sleeps; 0 if "
        "not given.",
    )
    deploy: Deploy | None = Field(default=None, description="Where the node runs.")


class DataflowKeys(Keys):
    """The keys that a dataflow and each of its profiles have."""

    env: Environment = Field(default_factory=dict, description="Environment variables of all nodes; a node's own win.")
    deploy: Deploy | None = Field(default=None, description="Where nodes run that do not say.")
    debug: Debug = Field(default_factory=Debug, description="Switches for looking into a running dataflow.")
    health_check_interval: PositiveSeconds | None = Field(
        default=None, description="Seconds between health checks; 5 if not given."
    )
    strict_types: Boolean | None = Field(default=False, description="Whether findings about types are errors.")
    exit_when_nodes_finish: Boolean | None = Field(
        default=False, description="End when every node's data inputs are closed, whatever its timers do."
    )
    type_rules: Annotated[tuple[TypeRule, ...], NothingIsEmptyList] = Field(
        default=(), description="More types that fit."
    )
    default_data_format: DataFormat = Field(
        default="arrow", description="The format of the messages of all nodes that do not say."
    )
    communication: Communication | None = Field(default=None, description="How messages travel.")
    hosts: Hosts = Field(default_factory=dict, description="The machines, by the names that `deploy` uses.")


class InputOverlay(InputOptions):
    """What a profile changes in an input."""

    source: Text | None = Field(default=None, description="What the input reads.")  # type: ignore[assignment] # as below


OverlaidInputs = Annotated[dict[DataId, Text | InputOverlay | None], NothingIsEmptyMap]
OverlaidOperators = tuple[OperatorDefinition, ...] | dict[OperatorId, OperatorBody]


class NodeOverlay(Node):
    """What a profile changes in a node. It describes the form: a profile is read as part of its dataflow."""

    # A profile names the node by its key and leaves out what stays, so no key is required, and a null takes one away.
    id: NodeId | None = Field(default=None, description="The node's id, unchanged.")  # type: ignore[assignment]
    env: dict[Text, EnvironmentValue | None] = Field(  # type: ignore[assignment]
        default_factory=dict, description="Environment variables of the node and its build."
    )
    inputs: OverlaidInputs = Field(  # type: ignore[assignment]
        default_factory=dict, description="The inputs, by id."
    )
    operators: OverlaidOperators | None = Field(  # type: ignore[assignment]
        default=None, description="The operators, all of them or by id."
    )


class Profile(DataflowKeys):
    """An overlay that `--profile` chooses: maps are joined key by key, anything else takes the place of what was."""

    noun: ClassVar[str] = "profile"

    nodes: Annotated[dict[NodeId, NodeOverlay], NothingIsEmptyMap] = Field(
        default_factory=dict, description="What changes in the nodes, by their ids."
    )


class Dataflow(DataflowKeys):
    """A dataflow file."""

    noun: ClassVar[str] = "dataflow"

    name: Text | None = Field(default=None, description="The dataflow's name; the file's name if not given.")
    nodes: Annotated[tuple[Node, ...], NothingIsEmptyList] = Field(description="The nodes.")
    profiles: Annotated[dict[Text, Profile], NothingIsEmptyMap] = Field(
        default_factory=dict, description="Overlays by name, of which `--profile` chooses one."
    )


class ModuleHeader(Keys):
    """The `module` section of a module file: its name and ports."""

    noun: ClassVar[str] = "module header"

    name: Text = Field(description="The module's name.")
    inputs: Annotated[tuple[DataId, ...], NothingIsEmptyList] = Field(
        default=(), description="Inputs that must be connected."
    )
    inputs_optional: Annotated[tuple[DataId, ...], NothingIsEmptyList] = Field(
        default=(), description="Inputs that may stay open."
    )
    outputs: Annotated[tuple[DataId, ...], NothingIsEmptyList] = Field(
        default=(), description="The outputs seen outside."
    )


class ModuleFile(Keys):
    """A module file."""

    noun: ClassVar[str] = "module file"

    module: ModuleHeader = Field(description="The module's name and ports.")
    nodes: Annotated[tuple[Node, ...], NothingIsEmptyList] = Field(description="The nodes inside.")
    build: Text | None = Field(default=None, description="Commands that run before the builds of the nodes inside.")
