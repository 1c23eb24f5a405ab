"""How much a command says: `--quiet` and `--verbose`, options of every command.

A quiet command tells errors and the data that it is asked for; a verbose one also how long each stage took, and what
build commands print. Chosen once, when the options are read, for the command that is being carried out.
"""

from __future__ import annotations

import functools
import inspect
from contextvars import ContextVar
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class Loudness(IntEnum):
    """How much is said."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


_CHOSEN: ContextVar[Loudness] = ContextVar("loudness", default=Loudness.NORMAL)

_OPTIONS = {
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors and what is asked for.")],
    "verbose": Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more: each stage with its time, what build commands print.")
    ],
}


def loudness() -> Loudness:
    """Tell how much the command that is carried out shall say."""
    return _CHOSEN.get()


class Commands(typer.Typer):
    """A group of commands that all have `--quiet` and `--verbose`."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[_Command], _Command]:
        """Register a command, as typer does."""
        register = super().command(name, **settings)

        def registered(function: _Command) -> _Command:
            register(_with_options(function))
            return function

        return registered


def _with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the two options; it need not know of them."""

    @functools.wraps(function)
    def carried_out(*, quiet: bool = False, verbose: bool = False, **given: object) -> object:
        _CHOSEN.set(Loudness.QUIET if quiet else Loudness.VERBOSE if verbose else Loudness.NORMAL)
        return function(**given)

    signature = inspect.signature(function, eval_str=True)
    fresh = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]
    carried_out.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *fresh])  # type: ignore[attr-defined]  # what typer reads
    carried_out.__annotations__ = {**function.__annotations__, **_OPTIONS}
    return carried_out
