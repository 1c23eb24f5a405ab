"""doraflow itself: a bundle, built before the clock runs, and its launcher."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import doraflow
from bench.peers.peer import BENCH, NODES, SHARED, AbsentError, cache
from bench.running import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.flow import Flow, Vertex


class Doraflow:
    """The checkout that the benchmark belongs to."""

    name = "doraflow"
    configured = (
        "a built bundle with its launcher; `queue_policy: backpressure` in floods, otherwise the defaults of every key "
        "(no `spin_us`, no huge pages, nothing made ready)."
    )

    def prepare(self) -> str:
        """Find the version."""
        return f"doraflow {doraflow.__version__}"

    def refuses(self, kind: str) -> str | None:
        """Take part in everything."""
        del kind
        return None

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Write the dataflow and build its bundle."""
        for name in ("doraflow_node.py", *SHARED):
            shutil.copy(NODES / name, folder)
        queue = f"queue_size: {flow.window}, queue_policy: backpressure"
        (folder / "dataflow.yml").write_text(dataflow(flow, "doraflow_node.py", queue))
        for earlier in Path(f"{cache()}/bytecode{folder.parent}").glob("dfb-*"):
            shutil.rmtree(earlier, ignore_errors=True)  # the bytecode of nodes that will not run again
        bundle = folder / "bundle"
        build = [sys.executable, "-m", "doraflow", "build", str(folder / "dataflow.yml"), "-o", str(bundle)]
        done = subprocess.run(
            build, env={**os.environ, **self.environment()}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise AbsentError(f"the bundle cannot be built:\n{done.stderr}")
        return [Command((sys.executable, str(bundle / "launch_local.py"), "--log-dir", str(folder / "logs")))]

    def environment(self) -> Mapping[str, str]:
        """Let the checkout's own code be imported."""
        path = [str(BENCH.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(path)}


def dataflow(flow: Flow, script: str, queue: str) -> str:
    """Write a flow in the language of dora and doraflow; `queue` is told of inputs where nothing may be lost."""
    return "nodes:\n" + "".join(_node(flow, node, script, queue) for node in flow.nodes)


def _node(flow: Flow, node: Vertex, script: str, queue: str) -> str:
    lines = [f"  - id: {node.id}", f"    path: {script}", f"    env: {{BENCH_NODE: {node.id}}}"]
    if node.reads:
        source = f"source: {node.reads}/out"
        told = f"{source}, {queue}" if flow.is_lossless else source
        lines.append(f"    inputs: {{in: {{{told}}}}}")
    if flow.readers(node.id):
        lines.append("    outputs: [out]")
    return "\n".join(lines) + "\n"
