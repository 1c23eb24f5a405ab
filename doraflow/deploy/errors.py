"""What keeps a deploy from going on at one host, as a finding without a place."""

from __future__ import annotations


class DeployError(Exception):
    """A fault at one host with the code of its finding; `help` states what mends it."""

    def __init__(self, code: str, message: str, help: str, notes: tuple[str, ...] = ()) -> None:  # noqa: A002 - as in a finding
        super().__init__(message)
        self.code = code
        self.help = help
        self.notes = notes
