r"""Paths that lead nowhere as written, and what was meant: a command line, a path of Windows, a text with its quotes.

Only the edit is put into words here; that a source is missing is told by `doraflow.build.sources`.
"""

from __future__ import annotations

import re

from doraflow.analysis.command_line import split_words

_PYTHON = ("python", "python3")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_QUOTES = "\"'`\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


def meant_path(written: str) -> str | None:
    r"""Say how to write a path that is none; None where it looks like any other.

    >>> meant_path("python -u camera.py --device 0")
    'write `path: camera.py` and `args: --device 0`: a path names one file, and a script is run by Python'
    >>> meant_path("nodes\\camera.py")
    'write `nodes/camera.py`: `/` stands between folders'
    """
    if _DRIVE.match(written):
        name = re.split(r"[\\/]", written)[-1]
        return f"put `{name}` into the dataflow's folder and write `{name}`: each host has its own drives and folders"
    if "\\" in written:
        return f"write `{written.replace(chr(92), '/')}`: `/` stands between folders"
    bare = written.strip(_QUOTES)
    if bare != written and bare:
        return f"write `{bare}`, without these quotes"
    words = [word.text for word in split_words(written) or ()]
    return _command_line(words) if len(words) > 1 else None


def _command_line(words: list[str]) -> str | None:
    first, *rest = words
    if first not in _PYTHON:
        has_options = any(word.startswith("-") for word in rest)
        arguments = " ".join(rest)
        return f"write `path: {first}` and `args: {arguments}`: a path names one file" if has_options else None
    if "-m" in rest:
        return f"write `path: {first}` and `args: {' '.join(rest)}`: a path names one file"
    at = next((at for at, word in enumerate(rest) if not word.startswith("-")), None)
    if at is None:
        return None
    arguments = " ".join(rest[at + 1 :])
    also = f" and `args: {arguments}`" if arguments else ""
    return f"write `path: {rest[at]}`{also}: a path names one file, and a script is run by Python"
