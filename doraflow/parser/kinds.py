"""The kinds of single values in a dataflow file: text, number, duration, size, word, identifier.

Each kind is an annotated type for the model. A value comes as a `ScalarNode` of the syntax tree or as a plain Python
value; one that does not fit raises a `fault`, which `doraflow.parser.read` turns into a diagnostic. Only rules that a
value can be judged by alone stand here.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from doraflow.diagnostics import Sink
from doraflow.parser.identifiers import Illegal, judge_node_id, judge_operator_id, judge_port_id
from doraflow.parser.meant_numbers import in_seconds, unquoted
from doraflow.parser.scalars import as_yaml_1_1, has_leading_zero
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import ScalarNode

LARGEST_SIGNED = 2**63 - 1
LARGEST_UNSIGNED = 2**64 - 1
LARGEST_U32 = 2**32 - 1
LONGEST_ARGUMENTS = 2**17
"""What Linux takes for one argument; all arguments together may be longer, but nobody writes such a line."""
LONGEST_SPIN = 1_000_000  # microseconds: a second of full load for each wait

_SIZE = re.compile(r"\s*([0-9]{1,40}(?:\.[0-9]{1,40})?)\s*([A-Za-z]*)\s*")
_UNITS = {"": 1, "B": 1, "K": 2**10, "KB": 2**10, "M": 2**20, "MB": 2**20, "G": 2**30, "GB": 2**30}


def fault(
    code: str,
    message: str,
    help: str | None = None,  # noqa: A002 - as in Diagnostic
    replacement: str | None = None,
) -> PydanticCustomError:
    """Make the error that a kind raises.

    In `message` a `{name}` stands for the value as the reader of a message knows it (`` `queue_size` ``), in `help` a
    `{key}` for the key alone. `replacement` is what to write for the value, where that is certain.
    """
    context = {"code": code, "message": message, "help": help, "replacement": replacement}
    return PydanticCustomError("fault", "{message}", context)


def describe(value: object) -> str:
    """Say what a value is, for a message.

    >>> describe(True), describe({})
    ('a boolean', 'a map')
    """
    plain = _plain(value)
    if plain is None:
        return "empty"
    if isinstance(plain, bool):
        return "a boolean"
    if isinstance(plain, int | float):
        return "a number"
    if isinstance(plain, str):
        return "a text"
    return "a map" if isinstance(plain, dict) else "a list"


def _wrong_kind(value: object, wanted: str, help: str | None = None) -> PydanticCustomError:  # noqa: A002
    is_written = isinstance(value, ScalarNode) and value.value is not None
    return fault(
        "DF103",
        f"{{name}} is {describe(value)}, expected {wanted}",
        help or (f"write {wanted}" if is_written else None),
    )


def _plain(value: object) -> object:
    return value.value if isinstance(value, ScalarNode) else value


def _written(value: object) -> str:
    return value.text if isinstance(value, ScalarNode) else str(value)


def _shown(value: object) -> str:
    is_quoted = isinstance(value, ScalarNode) and not value.plain
    return f'"{_written(value)}"' if is_quoted else _written(value)


def _text(value: object) -> str:
    if isinstance(value, ScalarNode) and value.value is not None:
        return value.text
    if isinstance(value, str):
        return value
    raise _wrong_kind(value, "a text")


def _arguments(value: object) -> str:
    text = _argument_text(value)
    if len(text) > LONGEST_ARGUMENTS:
        message = f"{{name}} has {len(text)} characters, and a program can be given {LONGEST_ARGUMENTS}"
        raise fault("DF104", message, "write what is long into a file, and give its path")
    return text


def _argument_text(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(item, ScalarNode) for item in value):
        joined = " ".join(item.text for item in value)
        raise _wrong_kind(value, "a text with spaces between the arguments", f"write `{{key}}: {joined}`")
    return _text(value)


def _boolean(value: object) -> bool:
    plain = _plain(value)
    if isinstance(plain, bool):
        return plain
    raise _wrong_kind(value, "`true` or `false`", "write `{key}: true` or `{key}: false`")


def whole(lowest: int, highest: int, code: str = "DF104") -> Callable[[object, ValidationInfo], int]:
    """Make the check of a whole number in a range; `code` is what one outside it is reported under."""
    wanted = f"a whole number of {lowest} or more"
    in_range = f"a whole number from {lowest} to {highest}"

    def check(value: object, info: ValidationInfo) -> int:
        plain = _plain(value)
        is_number = isinstance(plain, int | float) and not isinstance(plain, bool)
        if not is_number and (code == "DF104" or not isinstance(plain, str)):
            raise _wrong_kind(value, wanted, unquoted(plain, f"write {in_range}") if isinstance(plain, str) else None)
        if not is_number or not isinstance(plain, int) or plain < lowest:
            raise fault(code, f"{{name}} is `{_shown(value)}`, expected {wanted}", unquoted(plain, f"write {in_range}"))
        if plain > highest:
            raise fault(code, f"{{name}} is `{_shown(value)}`, expected at most {highest}", f"write {in_range}")
        _warn_of_leading_zero(value, info)
        return plain

    return check


def _warn_of_leading_zero(value: object, info: ValidationInfo) -> None:
    """Tell where a number means another one to a reader of YAML 1.1; the sink is the validation's context."""
    if not isinstance(value, ScalarNode) or not isinstance(info.context, Sink) or not has_leading_zero(value.text):
        return
    octal = as_yaml_1_1(value.text)
    other = "a text" if octal is None else str(octal)
    info.context.warning(
        "DF013",
        f"`{value.text}` is {value.value} here, and {other} to a reader of YAML 1.1",
        value.span,
        help=f"write `{value.value}`",
        replacement=str(value.value),
    )


def _seconds(value: object, info: ValidationInfo) -> float:
    plain = _plain(value)
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise _wrong_kind(value, "a number of seconds", in_seconds(plain) if isinstance(plain, str) else None)
    if not 0 <= plain < LARGEST_UNSIGNED:
        message = f"{{name}} is `{_shown(value)}`, expected a finite number of seconds, 0 or more"
        raise fault("DF104", message, "write a number of seconds, 0 or more")
    _warn_of_leading_zero(value, info)
    return float(plain)


def _positive_seconds(value: object, info: ValidationInfo) -> float:
    plain = _plain(value)
    if isinstance(plain, int | float) and not isinstance(plain, bool) and plain <= 0:
        message = f"{{name}} is `{_shown(value)}`, expected a finite number of seconds above 0"
        raise fault("DF104", message, "write a number of seconds above 0, such as `{key}: 5`")
    return _seconds(value, info)


def _bytes(value: object) -> int:
    plain = _plain(value)
    if isinstance(plain, bool) or not isinstance(plain, int | float | str):
        raise _wrong_kind(value, "a size in bytes", _SIZE_HELP)
    match = _SIZE.fullmatch(_written(value))
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise fault("DF104", f"{{name}} is `{_shown(value)}`, expected a size in bytes", _SIZE_HELP)
    size = int(Decimal(match[1]) * unit)
    if size > LARGEST_SIGNED:
        raise fault("DF104", f"{{name}} is `{_shown(value)}`, expected at most {LARGEST_SIGNED} bytes", _SIZE_HELP)
    return size


_SIZE_HELP = "write a number with one of the units B, KB, MB and GB, such as `64MB`"


def _environment_value(value: object) -> str:
    plain = _plain(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, int | float):
        return _written(value) if has_leading_zero(_written(value)) else _decimal(plain)
    if isinstance(plain, str):
        return plain
    variable = plain.get("__dora_env") if isinstance(plain, dict) else None
    if isinstance(variable, ScalarNode):
        raise _wrong_kind(value, "a text, number or boolean", f'write `{{key}}: "${variable.text}"`')
    raise _wrong_kind(value, "a text, number or boolean", 'write `{key}: ""`' if plain is None else None)


def _decimal(value: float) -> str:
    """Write a number as a dora node would see it: no exponent, and no `.0` after a whole one."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def word(*choices: str) -> BeforeValidator:
    """Accept one of `choices`; for any other text the nearest is suggested."""

    def check(value: object) -> str:
        return _one_of(_text(value), choices)

    return BeforeValidator(check)


def lower_case_word(*choices: str) -> BeforeValidator:
    """Accept one of `choices` in any case, and give it in lower case."""

    def check(value: object) -> str:
        text = _text(value)
        return text.lower() if text.lower() in choices else _one_of(text, choices)

    return BeforeValidator(check)


def any_case_schema(*choices: str) -> WithJsonSchema:
    """Tell a JSON schema of `lower_case_word`: the words as they are written best, and any other case of them."""
    folded = ("".join(f"[{letter.upper()}{letter}]" for letter in choice) for choice in choices)
    return WithJsonSchema(
        {"anyOf": [{"enum": list(choices)}, {"type": "string", "pattern": f"^({'|'.join(folded)})$"}]}
    )


def _one_of(text: str, choices: tuple[str, ...]) -> str:
    if text in choices:
        return text
    near = nearest(text, choices)
    raise fault(
        "DF112",
        f"{{name}} is `{text}`, expected one of {choices_text(text, choices)}",
        f"write `{{key}}: {near[0]}`" if near else f"write one of {choices_text(text, choices)}",
        near[0] if near else None,
    )


_OTHER_ID = "write another id, of letters, digits, `_`, `-` and `.`"


def _identifier(judge: Callable[[str], Illegal | None]) -> AfterValidator:
    def check(text: str) -> str:
        illegal = judge(text)
        if illegal is not None:
            mend = f"write `{illegal.legal}`" if illegal.legal else _OTHER_ID
            raise fault("DF105", illegal.message, mend, illegal.legal)
        return text

    return AfterValidator(check)


def nothing_is_empty_list(value: object) -> object:
    """Read a key without a value as an empty list."""
    return () if value is None else value


def nothing_is_empty_map(value: object) -> object:
    """Read a key without a value as an empty map."""
    return {} if value is None else value


# What a JSON schema says of a value that is read as a text, and of ids: patterns hold for texts alone.
_SCALAR = {"type": ["string", "number", "boolean"]}
_ID = "[A-Za-z0-9_.-]+"
_SIZE_SCHEMA = {"type": ["number", "string"], "minimum": 0, "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[KMGkmg]?[Bb]?\s*$"}


def number_schema(kind: str, lowest: int, highest: int) -> WithJsonSchema:
    """Say in a JSON schema what numbers a kind takes."""
    return WithJsonSchema({"type": kind, "minimum": lowest, "maximum": highest})


Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_SCALAR)]
Arguments = Annotated[str, BeforeValidator(_arguments), WithJsonSchema(_SCALAR)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Seconds = Annotated[float, BeforeValidator(_seconds), number_schema("number", 0, LARGEST_UNSIGNED - 1)]
PositiveSeconds = Annotated[
    float,
    BeforeValidator(_positive_seconds),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_UNSIGNED - 1}),
]
Count = Annotated[int, BeforeValidator(whole(0, LARGEST_U32)), number_schema("integer", 0, LARGEST_U32)]
Spin = Annotated[int, BeforeValidator(whole(0, LONGEST_SPIN)), number_schema("integer", 0, LONGEST_SPIN)]
QueueSize = Annotated[
    int, BeforeValidator(whole(1, LARGEST_SIGNED, "DF108")), number_schema("integer", 1, LARGEST_SIGNED)
]
ByteSize = Annotated[int, BeforeValidator(_bytes), WithJsonSchema(_SIZE_SCHEMA)]
EnvironmentValue = Annotated[str, BeforeValidator(_environment_value), WithJsonSchema(_SCALAR)]
NodeId = Annotated[Text, _identifier(judge_node_id), WithJsonSchema({**_SCALAR, "pattern": rf"^(?!dora$)(?!\.){_ID}$"})]
OperatorId = Annotated[Text, _identifier(judge_operator_id), WithJsonSchema({**_SCALAR, "pattern": f"^{_ID}$"})]
DataId = Annotated[Text, _identifier(judge_port_id), WithJsonSchema({**_SCALAR, "pattern": f"^{_ID}(/{_ID})*$"})]
NothingIsEmptyList = BeforeValidator(nothing_is_empty_list)
NothingIsEmptyMap = BeforeValidator(nothing_is_empty_map)
