"""Paths that are none, and what was meant."""

from __future__ import annotations

import pytest

from doraflow.build.meant_paths import meant_path

ONE_FILE = "a path names one file"
DRIVES = "put `camera.py` into the dataflow's folder and write `camera.py`: each host has its own drives and folders"
BY_PYTHON = f"{ONE_FILE}, and a script is run by Python"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("camera.py --device 0", f"write `path: camera.py` and `args: --device 0`: {ONE_FILE}"),
        ("python camera.py", f"write `path: camera.py`: {BY_PYTHON}"),
        ("python3 -u nodes/camera.py -v", f"write `path: nodes/camera.py` and `args: -v`: {BY_PYTHON}"),
        ("python -m camera --fast", f"write `path: python` and `args: -m camera --fast`: {ONE_FILE}"),
        ("src\\camera.py", "write `src/camera.py`: `/` stands between folders"),
        ("C:\\robot\\camera.py", DRIVES),
        ("\u201ccamera.py\u201d", "write `camera.py`, without these quotes"),
        ("camera.py", None),
        ("front camera.py", None),
        ("python -u", None),
        ("camera.py 'open", None),
        ("", None),
    ],
)
def test_the_edit_is_written_out(written: str, expected: str | None) -> None:
    assert meant_path(written) == expected
