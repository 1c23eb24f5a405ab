"""The machine that a benchmark ran on, told beside its figures."""

from __future__ import annotations

import os
import platform


def machine() -> dict[str, object]:
    """Say on what the figures were measured, and how busy it was."""
    return {
        "python": platform.python_version(),
        "system": platform.release(),
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
