"""Asking a run: a connection whose failures are findings."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from doraflow_runtime.control.client import Client, ControlError, NoSocketError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow_runtime.control.messages import Reply, Request
    from doraflow_runtime.control.registry import FoundRun

    from doraflow.diagnostics import Sink


def ask(run: FoundRun, request: Request, timeout: float, sink: Sink) -> Reply | None:
    """Ask a run one thing; None after a finding."""
    with findings_of_control(sink), Client(run.directory, timeout) as client:
        return client.ask(request)
    return None


@contextlib.contextmanager
def findings_of_control(sink: Sink) -> Iterator[None]:
    """Turn what goes wrong in the block into a finding, and go on behind it.

    A run without a control socket, one that refuses, and one that does not answer are told apart.
    """
    try:
        yield
    except NoSocketError as error:
        sink.error("DF844", str(error), help=error.help)
    except RefusedError as error:
        sink.error("DF843", str(error), help=error.help or None)
    except ControlError as error:
        sink.error("DF842", str(error), help=error.help or None)
