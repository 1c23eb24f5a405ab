"""The keys of `dora-node.yml`, in which a node's author says what its ports carry.

Most of it serves dora's hub; only the ports, the custom types and what the manifest is about are used here.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from doraflow.parser.keys import Keys
from doraflow.parser.kinds import Boolean, DataId, NothingIsEmptyList, NothingIsEmptyMap, Text, whole, word

Runtime = Annotated[Literal["python", "rust", "c", "cpp"], word("python", "rust", "c", "cpp")]
Texts = Annotated[tuple[Text, ...], NothingIsEmptyList]
Anything = Annotated[dict[Text, object], NothingIsEmptyMap]


class ManifestPort(Keys):
    """An input or output of a manifest."""

    noun: ClassVar[str] = "port"

    type: Text | None = Field(default=None, description="What the port carries.")
    required: Boolean | None = Field(default=None, description="Whether an input must be connected; true if not given.")
    description: Text | None = Field(default=None, description="What the port is for.")


Ports = Annotated[dict[DataId, ManifestPort], NothingIsEmptyMap]


class Manifest(Keys):
    """A node's manifest."""

    noun: ClassVar[str] = "node manifest"

    api_version: Annotated[int, BeforeValidator(whole(1, 1))] = Field(
        alias="apiVersion", description="The version of the form: 1."
    )
    name: Text | None = Field(default=None, description="The package's name.")
    namespace: Text = Field(description="The namespace of the package, under which its types lie.")
    description: Text | None = Field(default=None, description="What the node does.")
    categories: Texts = Field(default=(), description="The categories that it is found under.")
    keywords: Texts = Field(default=(), description="The words that it is found by.")
    runtime: Runtime = Field(description="The language of the node.")
    entrypoint: Text = Field(description="What is run, from the manifest's folder.")
    build: Text | None = Field(default=None, description="The command that builds it.")
    platforms: Texts = Field(default=(), description="The platforms that it runs on.")
    dora: Text | None = Field(default=None, description="The versions of dora that it fits.")
    inputs: Ports = Field(default_factory=dict, description="The inputs.")
    outputs: Ports = Field(default_factory=dict, description="The outputs.")
    env: Anything = Field(default_factory=dict, description="The environment variables that it knows.")
    types: Anything = Field(default_factory=dict, description="Its own types, each by its whole name.")
    requirements: Anything = Field(default_factory=dict, description="What it needs of the machine.")
    example: Text | None = Field(default=None, description="An example of its use.")
