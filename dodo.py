"""Developer tasks for doit: `doit list` shows them, `doit` alone runs what CI runs.

Each task is one command, so that it can be copied out and run by hand.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TypeAlias

DOIT_CONFIG = {"default_tasks": ["lint", "type", "test"], "verbosity": 2, "dep_file": ".doit.db"}

Task: TypeAlias = dict[str, object]


def python(*arguments: str) -> list[str]:
    """Build a command for the interpreter that runs doit, whatever stands on PATH."""
    return [sys.executable, "-m", *arguments]


def task_lint() -> Task:
    """Check style, formatting and the import contracts."""
    contracts = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    return {"actions": [python("ruff", "check", "."), python("ruff", "format", "--check", "."), contracts]}


def task_type() -> Task:
    """Check the types of both packages, strictly."""
    return {"actions": [python("mypy")]}


def task_test() -> Task:
    """Run all tests in parallel."""
    return {"actions": [python("pytest", "-n", "auto", "--dist", "worksteal")]}


def task_core() -> Task:
    """Build the compiled core of the runtime where it is imported from; left out, the runtime is pure Python."""
    return {"actions": [[sys.executable, "setup.py", "-q", "build_ext", "--inplace"]]}


def task_golden() -> Task:
    """Write the golden bundles again; review the difference before committing it."""
    return {"actions": [python("tests.golden")]}


def task_bench() -> Task:
    """Measure doraflow beside its peers, and write the pages that show the figures."""
    here = python("bench", "--json", "bench/results.json")
    far = python("bench.far", "--json", "bench/far/results.json")
    return {"actions": [here, far, python("bench.report")]}


def task_soak() -> Task:
    """Send checksummed messages while nodes are killed, and while they are started again; `-m 240` for four hours."""
    minutes = {"name": "minutes", "short": "m", "long": "minutes", "type": float, "default": 5.0}

    def play(minutes: float) -> bool:
        rounds = python("bench.soak", "--minutes", str(minutes))
        return all(
            subprocess.run(each, check=False).returncode == 0 for each in (rounds, python("bench.soak.restarts"))
        )

    return {"params": [minutes], "actions": [play], "verbosity": 2}


def task_robustness() -> Task:
    """Check every file that is made to exhaust the compiler, and cut links for long: ordinary runs make it short."""
    files = ["env", "DORAFLOW_TEST_EVERY_FILE=1", *python("pytest", "-n", "auto", "tests/robustness")]
    cuts = ["env", "DORAFLOW_TEST_LONG=1", *python("pytest", "tests/e2e/test_hosts.py", "-k", "cut")]
    return {"actions": [files, cuts]}


def task_docs() -> Task:
    """Write the generated pages of docs/ again."""
    return {"actions": [python("docs.generate")]}


def task_schema() -> Task:
    """Write the JSON schemas of schema/ again."""
    return {"actions": [python("schema.write")]}
