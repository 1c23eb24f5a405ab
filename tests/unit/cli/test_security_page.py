"""The page on security: its commands, one after the other, do what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests import commands

ROOT = Path(__file__).resolve().parents[3]


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/hello", tmp_path / "examples/hello")
    page = (ROOT / "docs/security.md").read_text()
    lines = "".join(re.findall(r"```console\n(.*?)```", page, re.DOTALL)).splitlines()
    assert len(lines) > 10
    environment = {name: value for name, value in os.environ.items() if name != "DORAFLOW_KEYS"}
    environment |= {
        "XDG_CACHE_HOME": f"{tmp_path}/.cache",
        "XDG_CONFIG_HOME": f"{tmp_path}/.config",
        "XDG_STATE_HOME": f"{tmp_path}/.state",
    }
    for command in lines:
        program, *arguments = shlex.split(command)
        assert program in ("doraflow", "python")
        done = (
            commands.doraflow(*arguments, cwd=tmp_path, env=environment)
            if program == "doraflow"
            else subprocess.run(
                [sys.executable, *arguments],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
