"""Values as Python source: the only way in which a value of the dataflow enters generated code."""

from __future__ import annotations


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
    written = repr(value)
    if written[0] == "'" and '"' not in value:
        return '"' + written[1:-1].replace("\\'", "'") + '"'
    return written


def _block(opening: str, rows: list[str], closing: str, indent: int) -> str:
    if not rows:
        return opening + closing
    inner = " " * (indent + 4)
    body = "".join(f"{inner}{row},\n" for row in rows)
    return f"{opening}\n{body}{' ' * indent}{closing}"
