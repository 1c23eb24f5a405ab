"""Values that look like secrets: in `env`, `params`, `args`, build commands and addresses.

Only what is hardly anything else is told: tokens with the prefix of their maker, keys, addresses with a password, and
literal values of names that end in words such as `password`. The value itself is never told: the diagnostic says where
it stands, so that nothing shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow.parser.syntax import MappingNode, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.syntax import SyntaxNode

# Each pattern is bounded in how far it looks ahead from one start, or in how many starts one run of letters has: a text
# may be a mebibyte long.
_MAKERS: Sequence[tuple[str, str]] = (
    ("an AWS access key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"),
    ("a GitHub token", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("a GitLab token", r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,}"),
    ("an API key", r"(?<![A-Za-z0-9])sk-(?=[A-Za-z_-]{0,100}[0-9])[A-Za-z0-9_-]{20,}"),
    ("a Stripe key", r"(?<![A-Za-z0-9])[sr]k_live_[A-Za-z0-9]{16,}"),
    ("a Slack token", r"(?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("a Hugging Face token", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}"),
    ("a Google API key", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"),
    ("an npm token", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}"),
    ("a PyPI token", r"(?<![A-Za-z0-9])pypi-AgE[A-Za-z0-9_-]{50,}"),
    ("a signed token", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
)
_MADE = re.compile("|".join(f"(?P<m{number}>{pattern})" for number, (_, pattern) in enumerate(_MAKERS)))
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^/\s:@'\"]+:(?P<password>[^/\s@'\"]+)@")
_WORDS = r"(?:password|passwd|passphrase|secret)"
_KEYS = r"(?:token|api_?key|secret_?key|access_?key|private_?key|auth_?key)"
_NAME = re.compile(rf"(?:(?P<word>{_WORDS})|{_KEYS})$")
_OPTION = re.compile(
    r"(?<![a-z0-9_-])--?(?P<name>[a-z][a-z0-9_-]*)(?:=|\s+)(?P<value>[^\s'\"-][^\s'\"]*|'[^']*'|\"[^\"]*\")",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"pass|password|passwd|secret|token|admin|root|user|guest|none|null|true|false|example|test(?:ing)?|dummy|default|"
    r"todo|tbd|change.?me|replace.?me|redacted|hidden|empty|unset|optional|required|"
    r"x+|\*+|\.+|-+|(?:your|my|insert|enter|put|replace|add|some|the|sample|example|fake)[_\- ].*|.*[_\-. ]here",
    re.IGNORECASE,
)
_SHORTEST_WORD = 4
_SHORTEST_KEY = 10


@dataclass(frozen=True, slots=True)
class _Secret:
    """What was found, and which characters of the text it takes."""

    kind: str
    start: int
    end: int


def check_values(syntax: SyntaxNode | None, sink: Sink) -> None:
    """Judge the values of a map from names to texts, such as `env`."""
    if not isinstance(syntax, MappingNode):
        return
    for entry in syntax.entries:
        name, value = entry.key.text, entry.value
        if not isinstance(value, ScalarNode) or value.value is None or isinstance(value.value, bool):
            continue
        found = _by_form(value.text) or _by_name(name, value.text)
        if found is not None:
            mend = f"write `{name}: ${name}`, and set `{name}` where the dataflow is started"
            _tell(entry.key, value, found, mend, sink)


def check_texts(node: MappingNode, sink: Sink) -> None:
    """Judge the arguments, commands and addresses of a node or operator."""
    for entry in node.entries:
        key, value = entry.key.text, entry.value
        if key not in ("args", "build", "git", "path") or not isinstance(value, ScalarNode):
            continue
        found = _by_form(value.text) or (_by_option(value.text) if key == "args" else None)
        if found is not None:
            mend = "let the host hold it, in its environment or a credential helper"
            if key == "args":
                mend = "let the node read it from its environment, and write `NAME: $NAME` in `env`"
            _tell(entry.key, value, found, mend, sink)


def _by_form(text: str) -> _Secret | None:
    """Find a secret that is known by its own form."""
    made = _MADE.search(text)
    if made is not None and made.lastgroup is not None:
        return _Secret(_MAKERS[int(made.lastgroup[1:])][0], made.start(), made.end())
    address = _ADDRESS.search(text) if "://" in text else None
    if address is None or not _is_literal(address["password"]):
        return None
    return _Secret("the password of an address", *address.span("password"))


def _by_option(text: str) -> _Secret | None:
    """Find the first option of a command line that is given a secret."""
    for option in _OPTION.finditer(text):
        found = _by_name(option["name"], option["value"].strip("'\""))
        if found is not None:
            return _Secret(found.kind, *option.span("value"))
    return None


def _by_name(name: str, text: str) -> _Secret | None:
    """Find a secret that is one by the name it is given; None if the name says nothing, or the value is none."""
    found = _NAME.search(name.lower().replace("-", "_"))
    if found is None or not _is_literal(text):
        return None
    is_mixed = any(letter.isdigit() for letter in text) and any(letter.isalpha() for letter in text)
    if len(text) < _SHORTEST_WORD or not (found["word"] or (is_mixed and len(text) >= _SHORTEST_KEY)):
        return None
    kind = found[0].replace("_", " ")
    return _Secret(f"{'an' if kind[0] == 'a' else 'a'} {kind}", 0, len(text))


def _is_literal(text: str) -> bool:
    """Tell whether a text is meant as it stands: no variable, path, placeholder or sentence."""
    is_other = any(sign in text for sign in "$<>{} \t\n") or text.startswith(("/", "./", "../", "~")) or "://" in text
    return not is_other and _PLACEHOLDER.fullmatch(text) is None


def _tell(key: ScalarNode, value: ScalarNode, found: _Secret, mend: str, sink: Sink) -> None:
    sink.warning(
        "DF117",
        f"`{key.text}` holds what looks like {found.kind}: who can read this file, or a bundle made of it, can use it",
        key.span,
        help=mend,
        conceal=_place(value, found),
    )


def _place(value: ScalarNode, found: _Secret) -> Span:
    """Mark the secret itself where the text stands in the file as it is and holds no other; else the whole value.

    A text in quotes stands there as it is if it is as long as the place between them.
    """
    span = value.span
    before = 0 if value.plain else 1
    is_as_written = span.line == span.end_line and span.end_column - span.column == len(value.text) + 2 * before
    rest = f"{value.text[: found.start]} {value.text[found.end :]}"
    if not is_as_written or _by_form(rest) is not None or _by_option(rest) is not None:
        return span
    start = span.column + before
    return replace(span, column=start + found.start, end_column=start + found.end)
