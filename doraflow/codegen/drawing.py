"""The layout of a graph for the HTML page: nodes in columns by their distance from the sources, edges as curves.

Loops are laid out as if the edge that closes them were not there (it is drawn backwards).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.ir import Graph

BOX_HEIGHT = 36
ROW_GAP = 28
COLUMN_GAP = 150
MARGIN = 20
LETTER = 8
PADDING = 28


@dataclass(frozen=True, slots=True)
class Box:
    """A node or a timer, in pixels from the upper left."""

    text: str
    x: int
    y: int
    width: int
    is_feed: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge: the path of its line, its label, and where the label stands."""

    path: str
    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole picture."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]


def draw(graph: Graph, feeds: Mapping[str, Sequence[tuple[str, str]]]) -> Drawing:
    """Lay a graph out; `feeds` are timers and the like with the inputs that read them."""
    arrows = [(source, node, port) for source, readers in feeds.items() for node, port in readers]
    arrows += [(edge.producer, edge.consumer, edge.output) for edge in graph.edges]
    names = [*feeds, *(node.id for node in graph.nodes)]
    columns = _columns(names, [(start, end) for start, end, _ in arrows])
    boxes = _boxes(names, columns, set(feeds))
    curves = _curves(arrows, boxes)
    right = max((box.x + box.width for box in boxes.values()), default=0)
    bottom = max((box.y + BOX_HEIGHT for box in boxes.values()), default=0)
    return Drawing(right + MARGIN, bottom + MARGIN + BOX_HEIGHT, tuple(boxes.values()), curves)


def _columns(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Give each name its column: one more than the furthest of those before it, backward edges left out."""
    leaving: dict[str, list[str]] = {name: [] for name in names}
    for start, end in arrows:
        leaving[start].append(end)
    order = _finished(names, leaving)
    place = {name: position for position, name in enumerate(order)}
    columns = dict.fromkeys(names, 0)
    for name in order:
        for end in leaving[name]:
            if place[end] > place[name]:
                columns[end] = max(columns[end], columns[name] + 1)
    return columns


def _finished(names: Sequence[str], leaving: Mapping[str, list[str]]) -> list[str]:
    """Order the names so that an edge goes forward unless it closes a loop: reverse postorder, without recursion."""
    seen: set[str] = set()
    finished: list[str] = []
    for root in names:
        stack = [(root, iter(leaving[root]))] if root not in seen else []
        seen.add(root)
        while stack:
            name, rest = stack[-1]
            following = next((end for end in rest if end not in seen), None)
            if following is None:
                finished.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(leaving[following])))
    return finished[::-1]


def _boxes(names: Sequence[str], columns: Mapping[str, int], feeds: set[str]) -> dict[str, Box]:
    widths: dict[int, int] = {}
    for name in names:
        widths[columns[name]] = max(widths.get(columns[name], 0), len(name) * LETTER + PADDING)
    ordered = sorted(widths)
    steps = (widths[column] + COLUMN_GAP for column in ordered)
    left = dict(zip(ordered, accumulate(steps, initial=MARGIN), strict=False))
    rows: dict[int, int] = {}
    boxes = {}
    for name in names:
        column = columns[name]
        row = rows.get(column, 0)
        rows[column] = row + 1
        y = MARGIN + row * (BOX_HEIGHT + ROW_GAP)
        boxes[name] = Box(name, left[column], y, widths[column], name in feeds)
    return boxes


def _curves(arrows: Sequence[tuple[str, str, str]], boxes: Mapping[str, Box]) -> tuple[Curve, ...]:
    parallel: dict[tuple[str, str], int] = {}
    curves = []
    for start, end, text in arrows:
        shift = parallel.get((start, end), 0)
        parallel[start, end] = shift + 1
        curves.append(_curve(boxes[start], boxes[end], text, shift * 16))
    return tuple(curves)


def _curve(start: Box, end: Box, text: str, shift: int) -> Curve:
    x1, y1 = start.x + start.width, start.y + BOX_HEIGHT // 2 + shift // 2
    x2, y2 = end.x, end.y + BOX_HEIGHT // 2 + shift // 2
    if x2 > x1:
        bend = (x2 - x1) // 2
        path = f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"
        return Curve(path, text, (x1 + x2) // 2, (y1 + y2) // 2 - 5 + shift)
    low = max(y1, y2) + BOX_HEIGHT + shift
    path = f"M{x1},{y1} C{x1 + 60},{low} {x2 - 60},{low} {x2},{y2}"
    return Curve(path, text, (x1 + x2) // 2, low - 8)
