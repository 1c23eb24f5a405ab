"""doraflow itself: a bundle, built before the clock runs, and its launcher."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import doraflow
from bench.peers.peer import BENCH, NODES, SHARED, AbsentError, cache
from bench.running import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.flow import Flow, Vertex


ARROW_KINDS = ("latency", "throughput", "fanout", "relay")
ONE_MACHINE: Mapping[str, str] = MappingProxyType({})


class Doraflow:
    """The checkout that the benchmark belongs to."""

    name = "doraflow"
    configured = (
        "a built bundle with its launcher; readers take bytes (`iter_bytes`); `queue_policy: backpressure` in floods, "
        "otherwise the defaults of every key (no `spin_us`, no huge pages, nothing made ready). The bytecode of the "
        "bundle's runtime is there, as after a first start, and as that of the others' packages is."
    )

    script = "doraflow_node.py"

    def prepare(self) -> str:
        """Find the version."""
        return f"doraflow {doraflow.__version__}"

    def refuses(self, kind: str) -> str | None:
        """Take part in everything."""
        del kind
        return None

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Write the dataflow and build its bundle."""
        for name in {"doraflow_node.py", self.script, *SHARED}:
            shutil.copy(NODES / name, folder)
        (folder / "dataflow.yml").write_text(dataflow(flow, self.script, queue(flow)))
        bundle = self.build(folder)
        return [Command((sys.executable, str(bundle / "launch_local.py"), "--log-dir", str(folder / "logs")))]

    def build(self, folder: Path) -> Path:
        """Build the bundle of the dataflow in a folder. Raises AbsentError."""
        for earlier in Path(f"{cache()}/bytecode{folder.parent}").glob("dfb-*"):
            shutil.rmtree(earlier, ignore_errors=True)  # the bytecode of nodes that will not run again
        bundle = folder / "bundle"
        self.run("build", str(folder / "dataflow.yml"), "-o", str(bundle))
        _compile(bundle / "runtime")
        return bundle

    def run(self, *arguments: str) -> None:
        """Run a command of doraflow. Raises AbsentError."""
        command = [sys.executable, "-m", "doraflow", *arguments]
        own = {**os.environ, **self.environment()}
        done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AbsentError(f"`doraflow {arguments[0]}` failed:\n{done.stderr}")

    def environment(self) -> Mapping[str, str]:
        """Let the checkout's own code be imported."""
        path = [str(BENCH.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(path)}


class DoraflowArrow(Doraflow):
    """The same with Arrow arrays, which is what dora gives its nodes."""

    name = f"{Doraflow.name}-arrow"
    configured = "the same, but readers take Arrow arrays (`for event in node`), as those of dora do."
    script = "doraflow_arrow_node.py"

    def refuses(self, kind: str) -> str | None:
        """Take part where messages are read one after the other."""
        return None if kind in ARROW_KINDS else "Arrow arrays are measured one way, in floods, fan-out and relay"


def queue(flow: Flow) -> str:
    """Say how an input holds its sender back."""
    return f"queue_size: {flow.window}, queue_policy: backpressure"


def _compile(runtime: Path) -> None:
    """Leave the bytecode of a bundle's runtime where its processes look for it."""
    command = [sys.executable, "-m", "compileall", "-q", str(runtime)]
    subprocess.run(command, env={**os.environ, "PYTHONPYCACHEPREFIX": f"{cache()}/bytecode"}, check=True)


def dataflow(flow: Flow, script: str, queue: str, machines: Mapping[str, str] = ONE_MACHINE) -> str:
    """Write a flow in the language of dora and doraflow; `queue` is told of inputs where nothing may be lost.

    `machines` are those of nodes which have one.
    """
    return "nodes:\n" + "".join(_node(flow, node, script, queue, machines.get(node.id)) for node in flow.nodes)


def _node(flow: Flow, node: Vertex, script: str, queue: str, machine: str | None) -> str:
    lines = [f"  - id: {node.id}", f"    path: {script}", f"    env: {{BENCH_NODE: {node.id}}}"]
    if node.reads:
        source = f"source: {node.reads}/out"
        told = f"{source}, {queue}" if flow.is_lossless else source
        lines.append(f"    inputs: {{in: {{{told}}}}}")
    if flow.readers(node.id):
        lines.append("    outputs: [out]")
    if machine is not None:
        lines.append(f"    deploy: {{machine: {machine}}}")
    return "\n".join(lines) + "\n"
