"""The keys of a node that is a bridge to ROS 2.

They are read and checked for kind here; no other module of the parser knows them.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from doraflow.parser.keys import Keys
from doraflow.parser.kinds import Boolean, NothingIsEmptyList, Seconds, Text, word
from doraflow.parser.ros2_kinds import ConfigurationPath, History, RosName, RosType

Direction = Annotated[Literal["subscribe", "publish"], word("subscribe", "publish")]
Role = Annotated[Literal["client", "server"], word("client", "server")]
TransportKind = Annotated[Literal["dds", "zenoh"], word("dds", "zenoh")]
Compatibility = Annotated[Literal["humble", "rep2016"], word("humble", "rep2016")]
Durability = Annotated[Literal["volatile", "transient_local"], word("volatile", "transient_local")]
Liveliness = Annotated[
    Literal["automatic", "manual_by_participant", "manual_by_topic"],
    word("automatic", "manual_by_participant", "manual_by_topic"),
]


class Qos(Keys):
    """The quality of service of a topic or of the whole bridge."""

    noun: ClassVar[str] = "quality of service"

    reliable: Boolean = Field(default=False, description="Reliable instead of best-effort delivery.")
    durability: Durability | None = Field(default=None, description="Whether late subscribers get earlier messages.")
    liveliness: Liveliness | None = Field(default=None, description="How a publisher shows that it is alive.")
    lease_duration: Seconds | None = Field(
        default=None, description="Seconds after which a silent publisher counts as gone."
    )
    max_blocking_time: Seconds | None = Field(default=None, description="Seconds for which a reliable send may block.")
    keep_last: History | None = Field(default=None, description="How many messages the history keeps; 1 if not given.")
    keep_all: Boolean = Field(default=False, description="Keep the whole history.")


class Transport(Keys):
    """The middleware under the bridge."""

    noun: ClassVar[str] = "transport"

    kind: TransportKind = Field(default="dds", description="The middleware: `dds` or `zenoh`.")
    compatibility: Compatibility | None = Field(
        default=None, description="The Zenoh key format; needed with `kind: zenoh`."
    )
    config_uri: ConfigurationPath | None = Field(default=None, description="A configuration file for Zenoh.")


class Topic(Keys):
    """One topic of a bridge with several."""

    noun: ClassVar[str] = "topic"

    topic: RosName = Field(description="The name of the ROS 2 topic.")
    message_type: RosType = Field(description="The ROS 2 message type, such as `sensor_msgs/Image`.")
    direction: Direction = Field(default="subscribe", description="Whether the bridge reads the topic or writes it.")
    output: Text | None = Field(default=None, description="The output that gets what the topic carries.")
    input: Text | None = Field(default=None, description="The input whose messages go to the topic.")
    qos: Qos | None = Field(default=None, description="The topic's own quality of service.")


class Ros2Bridge(Keys):
    """A bridge to one topic, several topics, a service or an action."""

    noun: ClassVar[str] = "ROS 2 bridge"

    transport: Transport = Field(default_factory=Transport, description="The middleware under the bridge.")
    topic: RosName | None = Field(default=None, description="The one topic of the bridge.")
    message_type: RosType | None = Field(default=None, description="The message type of `topic`.")
    direction: Direction = Field(default="subscribe", description="Whether the bridge reads `topic` or writes it.")
    topics: Annotated[tuple[Topic, ...], NothingIsEmptyList] | None = Field(default=None, description="Several topics.")
    service: RosName | None = Field(default=None, description="The service that is bridged.")
    service_type: RosType | None = Field(default=None, description="The type of `service`.")
    action: RosName | None = Field(default=None, description="The action that is bridged.")
    action_type: RosType | None = Field(default=None, description="The type of `action`.")
    role: Role | None = Field(default=None, description="Whether the bridge calls the service or action, or offers it.")
    qos: Qos = Field(default_factory=Qos, description="The quality of service of all topics.")
    namespace: Text = Field(default="/", description="The ROS 2 namespace.")
    node_name: Text | None = Field(default=None, description="The ROS 2 node name; the node's id if not given.")
