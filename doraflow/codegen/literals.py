"""Values as Python source: the only way in which a value of the dataflow enters generated code."""

from __future__ import annotations

_SHORT = 90


def literal(value: object, indent: int = 0) -> str:
    """Write a value as a Python literal, as ruff would format it: collections over several lines, double quotes.

    Takes str, int, float, bool, None, and tuples and dicts of these. Raises TypeError for anything else.

    >>> print(literal(("a", 1)))
    (
        "a",
        1,
    )
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple) and len(value) == 1 and "\n" not in (only := literal(value[0])) and len(only) < _SHORT:
        return f"({only},)"  # the comma of a single item asks for no lines of its own
    if isinstance(value, tuple):
        return _block("(", [literal(item, indent + 4) for item in value], ")", indent)
    if isinstance(value, dict):
        rows = [f"{literal(key, indent + 4)}: {literal(item, indent + 4)}" for key, item in value.items()]
        return _block("{", rows, "}", indent)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    raise TypeError(f"no literal for {type(value).__name__}")


def docstring(text: str) -> str:
    """Make text safe inside a docstring of one line: no quotes that end it, no backslash, no control character."""
    flat = " ".join(text.split()).replace("\\", "/").replace('"', "'")
    return "".join(letter if letter.isprintable() else "?" for letter in flat)


def _text(value: str) -> str:
    """Write a text in double quotes, unless single quotes need fewer backslashes."""
    single, double = value.count("'"), value.count('"')
    mark = '"' if double <= single else "'"
    escaped = "".join(f"\\{mark}" if letter == mark else _letter(letter) for letter in value)
    return mark + escaped + mark


def _letter(letter: str) -> str:
    return letter if letter in "'\"" else repr(letter)[1:-1]


def _block(opening: str, rows: list[str], closing: str, indent: int) -> str:
    if not rows:
        return opening + closing
    inner = " " * (indent + 4)
    body = "".join(f"{inner}{row},\n" for row in rows)
    return f"{opening}\n{body}{' ' * indent}{closing}"
