"""The kinds of single values in a dataflow file: text, number, duration, size, word, identifier.

Each kind is an annotated type for the model. A value comes either as a `ScalarNode` of the syntax tree or as a plain
Python value; one that does not fit raises a `fault`, which `doraflow.parser.read` turns into a diagnostic. Only rules
that a value can be judged by alone stand here.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import ScalarNode

FAULT = "fault"
NAME = "{name}"
LARGEST_SIGNED = 2**63 - 1
LARGEST_U32 = 2**32 - 1

_NODE_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_ILLEGAL_IN_NODE_ID = re.compile(r"[^A-Za-z0-9_.-]")
_ILLEGAL_IN_DATA_ID = re.compile(r"[^A-Za-z0-9_./-]")
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_UNITS = {"": 1, "B": 1, "K": 2**10, "KB": 2**10, "M": 2**20, "MB": 2**20, "G": 2**30, "GB": 2**30}


def fault(code: str, message: str, help: str | None = None) -> PydanticCustomError:  # noqa: A002 - as in Diagnostic
    """Make the error that a kind raises; `{name}` in `message` and `help` stands for the key that holds the value."""
    return PydanticCustomError(FAULT, "{message}", {"code": code, "message": message, "help": help})


def describe(value: object) -> str:
    """Say what a value is, for a message: `a text`, `a number`, `a list`, ….

    >>> describe(True)
    'a boolean'
    """
    if isinstance(value, ScalarNode):
        value = value.value
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a map" if isinstance(value, dict) else "a list"


def wrong_kind(value: object, wanted: str, help: str | None = None) -> PydanticCustomError:  # noqa: A002
    """Make the error for a value that is no `wanted` at all."""
    return fault("DF103", f"`{NAME}` is {describe(value)}, expected {wanted}", help)


def _text(value: object) -> str:
    if isinstance(value, ScalarNode) and value.value is not None:
        return value.text
    if isinstance(value, str):
        return value
    raise wrong_kind(value, "a text")


def _plain(value: object) -> object:
    return value.value if isinstance(value, ScalarNode) else value


def _boolean(value: object) -> bool:
    plain = _plain(value)
    if isinstance(plain, bool):
        return plain
    raise wrong_kind(value, "`true` or `false`", f"write `{NAME}: true` or `{NAME}: false`")


def _whole(lowest: int, highest: int, code: str = "DF104") -> Callable[[object], int]:
    def check(value: object) -> int:
        plain = _plain(value)
        if isinstance(plain, bool) or not isinstance(plain, int):
            huge = isinstance(plain, float)
            wanted = f"a whole number from {lowest} to {highest}"
            if code != "DF104":
                raise fault(code, f"`{NAME}` is {_shown(value)}, expected {wanted}")
            raise fault(code, f"`{NAME}` is {_shown(value)}, expected {wanted}") if huge else wrong_kind(value, wanted)
        if not lowest <= plain <= highest:
            raise fault(code, f"`{NAME}` is {_shown(value)}, expected a whole number from {lowest} to {highest}")
        return plain

    return check


def _shown(value: object) -> str:
    text = value.text if isinstance(value, ScalarNode) else str(value)
    return f"`{text}`" if isinstance(_plain(value), int | float | str) else describe(value)


def _seconds(value: object) -> float:
    plain = _plain(value)
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise wrong_kind(value, "a number of seconds")
    if not math.isfinite(plain) or not 0 <= plain < 2**64:
        raise fault("DF104", f"`{NAME}` is {_shown(value)}, expected a finite number of seconds, 0 or more")
    return float(plain)


def _bytes(value: object) -> int:
    plain = _plain(value)
    if isinstance(plain, int) and not isinstance(plain, bool) and 0 <= plain <= LARGEST_SIGNED:
        return plain
    match = _SIZE.fullmatch(plain) if isinstance(plain, str) else None
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise fault(
            "DF104" if isinstance(plain, int | float | str) and not isinstance(plain, bool) else "DF103",
            f"`{NAME}` is {_shown(value)}, expected a size in bytes",
            "write a number with a unit, such as `64MB`; the units are B, KB, MB and GB",
        )
    return int(float(match[1]) * unit) if "." in match[1] else int(match[1]) * unit


def _environment_value(value: object) -> str:
    plain = _plain(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, int | str):
        return str(plain)
    if isinstance(plain, float):
        return _decimal(plain)
    variable = plain.get("__dora_env") if isinstance(plain, dict) else None
    if variable is not None and isinstance(variable, ScalarNode):
        raise wrong_kind(value, "a text, number or boolean", f"to read the host's variable, write `${variable.text}`")
    raise wrong_kind(value, "a text, number or boolean", 'write `""` for an empty value' if plain is None else None)


def _decimal(value: float) -> str:
    """Write a number without exponent and without a needless `.0`, as a dora node would see it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = format(value, "f") if value == int(value) else repr(value)
    return text.removesuffix("000000").rstrip(".") if value == int(value) else _without_exponent(text)


def _without_exponent(text: str) -> str:
    return format(Decimal(text), "f")


def word(*choices: str) -> BeforeValidator:
    """Accept one of `choices`, and suggest the nearest for any other text."""

    def check(value: object) -> str:
        text = _text(value)
        if text in choices:
            return text
        near = nearest(text, choices)
        raise fault(
            "DF112",
            f"`{NAME}` is `{text}`, expected one of {choices_text(text, choices)}",
            f"write `{NAME}: {near[0]}`" if near else None,
        )

    return BeforeValidator(check)


def _node_id(text: str) -> str:
    if text == "dora":
        raise fault("DF105", "`dora` is reserved for timers and logs, so no node can have this id")
    if _NODE_ID.fullmatch(text):
        return text
    raise illegal_identifier(text, "a node id", _ILLEGAL_IN_NODE_ID)


def _data_id(text: str) -> str:
    if text and not _ILLEGAL_IN_DATA_ID.search(text) and all(text.split("/")):
        return text
    raise illegal_identifier(text, "a port id", _ILLEGAL_IN_DATA_ID)


def _operator_id(text: str) -> str:
    if text and not _ILLEGAL_IN_NODE_ID.search(text):
        return text
    raise illegal_identifier(text, "an operator id", _ILLEGAL_IN_NODE_ID)


def illegal_identifier(text: str, what: str, illegal: re.Pattern[str]) -> PydanticCustomError:
    """Make the error for an id that dora's rules forbid, with a legal one as help."""
    found = illegal.search(text)
    if not text:
        return fault("DF105", f"{what} is empty")
    if found is None:
        reason = "starts with `.`" if text.startswith(".") else "has an empty part between its slashes"
    elif found[0] == "/":
        reason = "holds `/`, which separates a node from its output"
    else:
        reason = f"holds `{found[0]}`; only letters, digits, `_`, `-` and `.` are allowed"
    legal = "_".join(part for part in re.split(r"[^A-Za-z0-9_.-]+", text) if part).lstrip(".")
    return fault("DF105", f"`{text}` is not {what}: it {reason}", f"write `{legal}`" if legal else None)


Text = Annotated[str, BeforeValidator(_text)]
Boolean = Annotated[bool, BeforeValidator(_boolean, json_schema_input_type=bool)]
Seconds = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=float)]
Count = Annotated[int, BeforeValidator(_whole(0, LARGEST_U32))]
SignedCount = Annotated[int, BeforeValidator(_whole(-(2**31), 2**31 - 1))]
CoreIndex = Annotated[int, BeforeValidator(_whole(0, LARGEST_U32))]
QueueSize = Annotated[int, BeforeValidator(_whole(1, LARGEST_SIGNED, "DF108"))]
ByteSize = Annotated[int, BeforeValidator(_bytes, json_schema_input_type=int | str)]
EnvironmentValue = Annotated[str, BeforeValidator(_environment_value, json_schema_input_type=str | int | float | bool)]
OperatorId = Annotated[Text, AfterValidator(_operator_id)]
NodeId = Annotated[Text, AfterValidator(_node_id)]
DataId = Annotated[Text, AfterValidator(_data_id)]


def _list_or_nothing(value: object) -> object:
    return () if value is None else value


def _map_or_nothing(value: object) -> object:
    return {} if value is None else value


NothingIsEmptyList = BeforeValidator(_list_or_nothing)
NothingIsEmptyMap = BeforeValidator(_map_or_nothing)
