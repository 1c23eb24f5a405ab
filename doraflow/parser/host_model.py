"""The keys that describe machines: an entry of `hosts`, and dora's `cluster.yml`.

What several machines mean together is judged in `doraflow.parser.inventory`.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from doraflow.parser.keys import Keys
from doraflow.parser.kinds import NothingIsEmptyList, NothingIsEmptyMap, Text
from doraflow.parser.machine_kinds import (
    Address,
    Cores,
    IpAddress,
    LabelKey,
    LabelValue,
    Memory,
    Port,
    SshDestination,
    SshPart,
)

HostLabels = Annotated[dict[LabelKey, LabelValue], NothingIsEmptyMap]


class Host(Keys):
    """A machine of the inventory."""

    noun: ClassVar[str] = "host"

    address: Address | None = Field(
        default=None, description="The host name or IP address under which the others reach it."
    )
    labels: HostLabels = Field(default_factory=dict, description="Labels by which a node may ask for it.")
    cores: Cores | None = Field(default=None, description="How many processor cores it has.")
    memory: Memory | None = Field(default=None, description="How much memory it has, such as `8GB`.")
    ssh: SshDestination | None = Field(default=None, description="The SSH destination, such as `robot@10.0.0.2`.")
    folder: Text | None = Field(default=None, description="Where on it `doraflow deploy` puts versions.")


Hosts = Annotated[dict[Text, Host], NothingIsEmptyMap]


class Inventory(Keys):
    """An inventory file: the machines, kept apart from the dataflow so that it need not be committed with it."""

    noun: ClassVar[str] = "inventory"

    hosts: Hosts = Field(description="The machines, by the names that `deploy` uses.")


class Coordinator(Keys):
    """The coordinator of a dora cluster, which doraflow does not need."""

    noun: ClassVar[str] = "coordinator"

    addr: IpAddress = Field(description="The IP address of dora's coordinator.")
    port: Port | None = Field(default=None, description="The port of dora's coordinator.")


class Machine(Keys):
    """A machine of a dora cluster."""

    noun: ClassVar[str] = "machine"

    id: Text = Field(description="The machine's name, which `deploy` uses.")
    host: Address = Field(description="The address under which SSH reaches the machine.")
    user: SshPart | None = Field(default=None, description="The user for SSH.")
    port: Port | None = Field(default=None, description="The port for SSH; 22 if not given.")
    daemon_port: Port | None = Field(default=None, description="The port of dora's daemon, which doraflow has not.")
    labels: HostLabels = Field(default_factory=dict, description="Labels by which a node may ask for it.")
    zenoh_addr: IpAddress | None = Field(
        default=None, description="The address under which the others reach it, if that is not `host`."
    )
    zenoh_port: Port | None = Field(default=None, description="The port of dora's link between machines.")


class Cluster(Keys):
    """A cluster file of dora's."""

    noun: ClassVar[str] = "cluster file"

    coordinator: Coordinator = Field(description="Where dora's coordinator runs.")
    zenoh_peer: Text | None = Field(default=None, description="The endpoint at which dora's daemons find one another.")
    machines: Annotated[tuple[Machine, ...], NothingIsEmptyList] = Field(description="The machines.")
