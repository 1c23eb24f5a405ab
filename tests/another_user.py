"""What another user of this machine can do: a script of Python, run as `nobody`."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

NOBODY = 65534


def as_nobody(script: str, *arguments: str) -> Any:
    """Run a script as another user, who must be able to run Python, and read the JSON that it prints. Takes root."""
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-I", "-c", script, *arguments],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode in (126, 127):
        pytest.skip(f"another user cannot run Python here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
