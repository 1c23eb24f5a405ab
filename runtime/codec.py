"""Dataclasses of the contract to JSON and back, with every value checked on the way in.

JSON keys are the field names; a field that has its default is left out, so tables stay short. A data type is written
compactly: a scalar as its name, a list as `{"list": item}`, a struct as `{"struct": urn, "fields": [...]}`.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from doraflow_runtime import contract
from doraflow_runtime.contract import SCALARS, ContractError, DataType, Field, ListOf, Scalar, Struct

T = TypeVar("T")

_MAX_TYPE_DEPTH = 32


def to_json(value: object) -> Any:
    """Turn a contract value into what `json.dumps` takes.

    >>> to_json(contract.OutputWiring("image", ListOf(Scalar("UInt8"))))
    {'id': 'image', 'data_type': {'list': 'UInt8'}}
    """
    if isinstance(value, Scalar | ListOf | Struct):
        return _type_to_json(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            spec.name: to_json(item)
            for spec in dataclasses.fields(value)
            if not _is_default(spec, item := getattr(value, spec.name))
        }
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


def from_json(kind: type[T], data: object, where: str = "$") -> T:
    """Build the dataclass `kind` from parsed JSON.

    Raises ContractError, naming the place, for a missing or unknown key or a value of the wrong type.

    >>> from_json(contract.OutputWiring, {"id": "image"})
    OutputWiring(id='image', data_type=None)
    """
    if not isinstance(data, dict):
        raise ContractError(f"{where}: expected an object, got {type(data).__name__}")
    hints, required = _shape(kind)  # type: ignore[arg-type]
    if unknown := [key for key in data if key not in hints]:
        raise ContractError(f"{where}: unknown key `{unknown[0]}`")
    if missing := [key for key in required if key not in data]:
        raise ContractError(f"{where}: missing key `{missing[0]}`")
    return kind(**{key: _value(hints[key], item, f"{where}.{key}") for key, item in data.items()})


def prepare(kind: type) -> None:
    """Look over a dataclass and those it is made of, so that `from_json` finds them known."""
    known, found = set[type](), [kind]
    while found:
        one = found.pop()
        if one in known or not dataclasses.is_dataclass(one):
            continue
        known.add(one)
        hints, _ = _shape(one)
        found += [part for hint in hints.values() for part in (hint, *get_args(hint)) if isinstance(part, type)]


def check_version(version: int, side: str) -> None:
    """Refuse a table or stub made for another contract; the message names the side to update.

    Raises ContractError.
    """
    if version == contract.CONTRACT_VERSION:
        return
    newer = version > contract.CONTRACT_VERSION
    mend = "update doraflow_runtime on this host" if newer else "build the dataflow again with this doraflow"
    raise ContractError(
        f"{side} was made for contract {version}, this runtime speaks {contract.CONTRACT_VERSION}; {mend}"
    )


@functools.cache
def _shape(kind: type) -> tuple[dict[str, Any], tuple[str, ...]]:
    required = tuple(
        spec.name
        for spec in dataclasses.fields(kind)
        if spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
    )
    return get_type_hints(kind), required


def _value(hint: Any, data: object, where: str) -> Any:
    if hint == DataType or hint == DataType | None:
        return None if data is None and hint != DataType else _type_from_json(data, where, 0)
    origin = get_origin(hint)
    if origin is tuple:
        if not isinstance(data, list):
            raise ContractError(f"{where}: expected a list, got {type(data).__name__}")
        return tuple(_value(get_args(hint)[0], item, f"{where}[{index}]") for index, item in enumerate(data))
    if origin is Literal:
        if data not in get_args(hint):
            raise ContractError(f"{where}: `{data}` is none of {', '.join(map(str, get_args(hint)))}")
        return data
    if origin is dict:
        return _string_map(data, where)
    if origin in (Union, types.UnionType):
        return _optional(hint, data, where)
    if dataclasses.is_dataclass(hint):
        return from_json(hint, data, where)  # type: ignore[arg-type]
    if type(data) is not hint:
        raise ContractError(f"{where}: expected {hint.__name__}, got {type(data).__name__}")
    return data


def _optional(hint: Any, data: object, where: str) -> Any:
    """Read a value that may be null; there is no rule for other unions."""
    others = [option for option in get_args(hint) if option is not type(None)]
    if len(others) != 1 or len(get_args(hint)) != 2:
        raise ContractError(f"{where}: no rule to read {hint}")
    return None if data is None else _value(others[0], data, where)


def _string_map(data: object, where: str) -> dict[str, str]:
    if not isinstance(data, dict) or not all(isinstance(item, str) for item in data.values()):
        raise ContractError(f"{where}: expected an object of strings")
    return data


def _is_default(spec: dataclasses.Field[Any], value: object) -> bool:
    if spec.default_factory is not dataclasses.MISSING:
        return bool(value == spec.default_factory())
    return spec.default is not dataclasses.MISSING and value == spec.default


def _type_to_json(data_type: DataType) -> Any:
    match data_type:
        case Scalar(name):
            return name
        case ListOf(item):
            return {"list": _type_to_json(item)}
        case Struct(urn, fields):
            return {
                "struct": urn,
                "fields": [{"name": member.name, "type": _type_to_json(member.type)} for member in fields],
            }


def _type_from_json(data: object, where: str, depth: int) -> DataType:
    if depth > _MAX_TYPE_DEPTH:
        raise ContractError(f"{where}: a type nested deeper than {_MAX_TYPE_DEPTH}")
    match data:
        case str() if data in SCALARS:
            return Scalar(data)
        case {"list": item}:
            return ListOf(_type_from_json(item, f"{where}.list", depth + 1))
        case {"struct": str(urn), "fields": [*fields]}:
            return Struct(urn, tuple(_member(item, f"{where}.fields", depth + 1) for item in fields))
    raise ContractError(f"{where}: not a data type: {data!r:.80}")


def _member(data: object, where: str, depth: int) -> Field:
    match data:
        case {"name": str(name), "type": inner}:
            return Field(name, _type_from_json(inner, f"{where}.{name}", depth))
    raise ContractError(f"{where}: not a struct member: {data!r:.80}")
