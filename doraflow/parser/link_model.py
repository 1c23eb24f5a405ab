"""The keys of `communication`: which transport carries the links on one machine, and those between machines.

Options stand beside the transport that they belong to. Older forms of the key are rewritten before they come here.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from doraflow.parser.keys import Keys
from doraflow.parser.kinds import Boolean, NothingIsEmptyList, Text, word
from doraflow.parser.machine_kinds import PortRange, ZenohEndpoint

LocalTransport = Annotated[Literal["shm"], word("shm")]
RemoteTransport = Annotated[Literal["zeromq", "zenoh"], word("zeromq", "zenoh")]
ZenohMode = Annotated[Literal["peer", "client"], word("peer", "client")]
ZenohProtocol = Annotated[Literal["tcp", "tls"], word("tcp", "tls")]
DataFormat = Annotated[Literal["arrow", "capnp", "flatbuffers", "avro"], word("arrow", "capnp", "flatbuffers", "avro")]


class LocalLinks(Keys):
    """The links between nodes of one machine; the short form is the `transport` alone."""

    noun: ClassVar[str] = "local link"

    transport: LocalTransport = Field(default="shm", description="What carries messages: `shm`, shared memory.")


class RemoteLinks(Keys):
    """The links between machines; the short form is the `transport` alone."""

    noun: ClassVar[str] = "remote link"

    transport: RemoteTransport = Field(default="zeromq", description="What carries messages between machines.")
    port_range: PortRange | None = Field(
        default=None, description="The TCP ports that may be listened on, such as `40000-40100`."
    )
    insecure: Boolean | None = Field(
        default=False, description="Whether messages travel in plain text, from and to anyone who can reach the ports."
    )
    mode: ZenohMode | None = Field(
        default="peer", description="Of `zenoh`: whether nodes connect to one another, or to routers alone (`client`)."
    )
    protocol: ZenohProtocol | None = Field(
        default="tcp", description="Of `zenoh`: how nodes connect to one another; `tls` takes certificates in `config`."
    )
    connect: Annotated[tuple[ZenohEndpoint, ...], NothingIsEmptyList] = Field(
        default=(), description="Of `zenoh`: endpoints to connect to, such as `tcp/10.0.0.1:7447`."
    )
    config: Text | None = Field(
        default=None, description="Of `zenoh`: a configuration file for it; what stands here comes before it."
    )


def _local_long_form(value: object) -> object:
    return value if value is None or isinstance(value, dict | LocalLinks) else {"transport": value}


def _remote_long_form(value: object) -> object:
    return value if value is None or isinstance(value, dict | RemoteLinks) else {"transport": value}


class Communication(Keys):
    """How messages travel."""

    noun: ClassVar[str] = "communication section"

    local: (
        Annotated[LocalLinks, BeforeValidator(_local_long_form, json_schema_input_type=LocalTransport | LocalLinks)]
        | None
    ) = Field(default=None, description="The links between nodes of one machine.")
    remote: (
        Annotated[RemoteLinks, BeforeValidator(_remote_long_form, json_schema_input_type=RemoteTransport | RemoteLinks)]
        | None
    ) = Field(default=None, description="The links between machines.")
