"""The question that stands before a run is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class Confirm(ModalScreen[bool]):
    """Asks for a yes; gives whether it was said."""

    CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical { width: auto; height: auto; border: thick $warning; padding: 1 2; background: $surface; }
    Confirm Static { width: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "answer(True)", "Yes"),
        ("n,escape,q", "answer(False)", "No"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical():
            yield Static(f"{self._question}\n\n\\[y] yes    \\[n] no")

    def action_answer(self, answer: bool) -> None:  # noqa: FBT001 - the key's argument, as Textual gives it
        """Close with an answer."""
        self.dismiss(answer)
