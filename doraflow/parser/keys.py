"""The base of every mapping with a closed set of keys, and the groups of keys that nodes and operators share.

What single values may be stands in `doraflow.parser.kinds`; rules that join two keys stand in `doraflow.parser.rules`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from doraflow.parser.kinds import (
    ByteSize,
    DataId,
    NothingIsEmptyList,
    NothingIsEmptyMap,
    QueueSize,
    Seconds,
    Text,
    any_case_schema,
    lower_case_word,
    number_schema,
    whole,
    word,
)

QueuePolicy = Annotated[Literal["drop_oldest", "backpressure"], word("drop_oldest", "backpressure")]
Framing = Annotated[Literal["raw", "arrow-ipc"], word("raw", "arrow-ipc")]
Pattern = Annotated[
    Literal["service-server", "service-client", "action-server", "action-client"],
    word("service-server", "service-client", "action-server", "action-client"),
]
LogLevel = Annotated[
    Literal["stdout", "trace", "debug", "info", "warn", "error"],
    lower_case_word("stdout", "trace", "debug", "info", "warn", "error"),
    any_case_schema("stdout", "trace", "debug", "info", "warn", "error"),
]


MOST_ROTATED_FILES = 100
RotatedFiles = Annotated[
    int, BeforeValidator(whole(1, MOST_ROTATED_FILES)), number_schema("integer", 1, MOST_ROTATED_FILES)
]


class Keys(BaseModel):
    """A mapping whose keys are known: an unknown one is an error, and a value never changes once read.

    `noun` is what messages call such a mapping.
    """

    noun: ClassVar[str] = "map"

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class InputOptions(Keys):
    """An input in its long form; the short form is the `source` alone."""

    noun: ClassVar[str] = "input"

    source: Text = Field(description="What the input reads: `node/output`, `dora/timer/UNIT/N` or `dora/logs`.")
    queue_size: QueueSize | None = Field(default=None, description="How many messages wait at most; 10 if not given.")
    queue_policy: QueuePolicy | None = Field(
        default=None,
        description="What happens when the queue is full: the oldest message is dropped, or the sender is held back.",
    )
    input_timeout: Seconds | None = Field(
        default=None, description="Seconds without a message after which the input counts as closed."
    )


def _long_form(value: object) -> object:
    return value if isinstance(value, dict | InputOptions) else {"source": value}


InputDefinition = Annotated[InputOptions, BeforeValidator(_long_form, json_schema_input_type=str | InputOptions)]


class PortKeys(Keys):
    """The keys that declare inputs and outputs."""

    inputs: Annotated[dict[DataId, InputDefinition], NothingIsEmptyMap] = Field(
        default_factory=dict, description="The inputs: each id with what it reads."
    )
    outputs: Annotated[tuple[DataId, ...], NothingIsEmptyList] = Field(
        default=(), description="The ids of the outputs."
    )
    input_types: Annotated[dict[DataId, Text], NothingIsEmptyMap] = Field(
        default_factory=dict, description="The type that an input expects, such as `std/media/v1/Image`."
    )
    output_types: Annotated[dict[DataId, Text], NothingIsEmptyMap] = Field(
        default_factory=dict, description="The type that an output sends, such as `std/media/v1/Image`."
    )
    output_framing: Annotated[dict[DataId, Framing], NothingIsEmptyMap] = Field(
        default_factory=dict, description="How an output is framed: plain Arrow buffers, or an Arrow IPC stream."
    )
    output_metadata: Annotated[dict[DataId, tuple[Text, ...]], NothingIsEmptyMap] = Field(
        default_factory=dict, description="The metadata keys that every message of an output carries."
    )
    pattern: Pattern | None = Field(default=None, description="The communication pattern that the ports follow.")


class LogKeys(Keys):
    """The keys that say where log lines and standard output go."""

    send_stdout_as: Text | None = Field(default=None, description="An output that gets each line of standard output.")
    send_logs_as: Text | None = Field(default=None, description="An output that gets each log entry as JSON text.")
    min_log_level: LogLevel | None = Field(default=None, description="Log lines below this level are dropped.")
    max_log_size: ByteSize | None = Field(default=None, description="The size at which the log file is rotated.")
    max_rotated_files: RotatedFiles | None = Field(
        default=None, description="How many rotated log files are kept; 5 if not given."
    )
