"""What `pip install` commands ask for, read from the lines of build steps.

Nothing is installed and nothing is read from the disk; whether a line can stand in a bundle is judged in
`doraflow.codegen.requirements`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from doraflow.analysis.command_line import filled_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WishKind: TypeAlias = Literal["package", "file", "editable", "index"]

_INSTALLERS = (("pip",), ("pip3",), ("uv", "pip"), ("python", "-m", "pip"), ("python3", "-m", "pip"))
_KINDS: Mapping[str, WishKind] = MappingProxyType(
    {
        **dict.fromkeys(("-r", "--requirement", "--requirements"), "file"),
        **dict.fromkeys(("-e", "--editable"), "editable"),
        **dict.fromkeys(("-i", "--index-url", "--extra-index-url", "-f", "--find-links"), "index"),
    }
)
_WITH_VALUE = frozenset(
    [
        *("-c", "--constraint", "-t", "--target", "-C", "--config-settings", "-p", "--python", "--platform"),
        *("--python-version", "--implementation", "--abi", "--root", "--prefix", "--src", "--upgrade-strategy"),
        *("--no-binary", "--only-binary", "--progress-bar", "--root-user-action", "--report", "--log", "--proxy"),
        *("--retries", "--timeout", "--exists-action", "--trusted-host", "--cert", "--client-cert", "--cache-dir"),
        *("--use-feature", "--use-deprecated", "--global-option", "--index", "--default-index", "--torch-backend"),
    ]
)
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that is asked for: a package, a requirements file, an editable install, or an index to look in.

    `text` is the requirement, the path, or the option with its value.
    """

    kind: WishKind
    text: str


def wishes(command: str, environment: Mapping[str, str]) -> tuple[Wish, ...]:
    """List what a command asks pip for, in order; nothing if it is no `pip install`.

    `environment` fills in `$NAME`, as when the step is run.

    >>> wishes("pip install numpy==2.0 -r requirements.txt", {})
    (Wish(kind='package', text='numpy==2.0'), Wish(kind='file', text='requirements.txt'))
    """
    words = filled_words(command, environment) or []  # the build step itself reports its unbalanced quotes
    return tuple(_read(words[words.index("install") + 1 :])) if asks_to_install(words) else ()


def asks_to_install(words: list[str]) -> bool:
    """Tell whether the words of a command are a `pip install`."""
    return "install" in words and any(tuple(words[: len(start)]) == start for start in _INSTALLERS)


def file_wishes(content: bytes) -> tuple[Wish, ...]:
    r"""List what a requirements file asks for, in order.

    >>> file_wishes(b"numpy  # arrays\n-e ./here\n")
    (Wish(kind='package', text='numpy'), Wish(kind='editable', text='./here'))
    """
    joined = content.decode("utf-8", "replace").replace("\\\n", " ")
    found: list[Wish] = []
    for line in joined.splitlines():
        bare = " ".join(_COMMENT.sub("", line).split())
        if bare.startswith("-"):
            found += _read(bare.split(" "))
        elif bare:
            found.append(Wish("package", bare))
    return tuple(found)


def _read(arguments: list[str]) -> Iterator[Wish]:
    words = iter(arguments)
    for word in words:
        option, equals, value = _parted(word)
        kind = _KINDS.get(option)
        if kind is not None:
            given = value if equals else next(words, "")
            yield Wish(kind, f"{option} {given}" if kind == "index" else given)
        elif option in _WITH_VALUE:
            _ = value if equals else next(words, "")
        elif not word.startswith("-"):
            yield Wish("package", word)


def _parted(word: str) -> tuple[str, bool, str]:
    """Part an option from the value that is written to it: `--name=value`, or `-rfile`."""
    if word.startswith("--"):
        option, equals, value = word.partition("=")
        return option, bool(equals), value
    if word[:2] in _KINDS and len(word) > 2:
        return word[:2], True, word[2:].removeprefix("=")
    return word, False, ""
