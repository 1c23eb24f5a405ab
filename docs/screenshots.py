"""The pictures of docs/: the wizard, and a build that failed, as SVG, made by what a user would see.

Times are fixed, so that the same program gives the same pictures.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from doraflow.build.steps import run_steps
from doraflow.cli.progress import News
from doraflow.cli.wizard import ask_dataflow
from doraflow.pipeline import Options, check
from doraflow.render.text import text_pieces

WIDTH = 100
ANSWERS = (
    *("robot", "own", "camera detector", "image:Imgae", "image:Image", "boxes:BoundingBox"),
    *("tick=dora/timer/hz/30", "image=camera/image", ""),
)
FLOW = """\
name: vision
nodes:
  - id: camera
    path: camera.py
    build: python calibrate.py
    inputs: {tick: dora/timer/hz/30}
"""


class _Answered(Console):
    """A console whose questions are answered from a list."""

    def __init__(self, answers: tuple[str, ...]) -> None:
        super().__init__(record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, highlight=False)
        self._answers = iter(answers)

    def input(self, prompt: object = "", **_settings: object) -> str:
        """Show a question with its answer."""
        answer = next(self._answers)
        self.print(Text.assemble(prompt if isinstance(prompt, Text) else str(prompt), (answer, "bold")))
        return answer


def write_all(folder: Path) -> None:
    """Write the pictures."""
    _save(_wizard(), folder / "wizard.svg", "doraflow init robot")
    _save(_failed_build(), folder / "failed-build.svg", "doraflow build dataflow.yml")


def _wizard() -> Console:
    console = _Answered(ANSWERS)
    text = ask_dataflow(console, "robot", None)
    console.print()
    console.print(text, style="cyan", markup=False)
    return console


def _failed_build() -> Console:
    console = Console(record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, highlight=False)
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        Path("dataflow.yml").write_text(FLOW)
        Path("calibrate.py").write_text('"""Calibrates the camera."""\n\nimport cv2_contrib\n')
        Path("camera.py").write_text("")
        made = check(Path("dataflow.yml"), Options())
        run_steps(made.steps(), Path(), Path(".cache/doraflow/vision"), 1, made.sink)
        for news in (
            News("loading", "done", "dataflow.yml", ": 1 node", 0.2),
            News("building", "failed", "camera", seconds=0.1),
        ):
            console.print(Text.from_ansi(news.line(coloured=True)))
        pieces = [(text.replace(scratch, "."), style) for text, style in text_pieces(made.diagnostics(), made.texts)]
        console.print(Text.assemble(*pieces), end="")
    return console


def _save(console: Console, path: Path, title: str) -> None:
    path.write_text(console.export_svg(title=title, unique_id=path.stem) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_all(Path(__file__).parent)
