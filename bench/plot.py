"""A plot as SVG: lines over two logarithmic axes, in panels side by side.

The same numbers give the same bytes. Nothing here knows what is plotted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

COLOURS = ("#1b6ac9", "#d1495b", "#e08e1b", "#2a9d5c", "#7b4fb5", "#6b7280", "#0f9aa8")
WIDTH, HEIGHT = 430, 330  # of a panel
LEFT, TOP, BOTTOM, RIGHT = 58, 34, 46, 12
LEGEND = 26


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one name; all numbers are greater than 0."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis; `marks` are the labelled values."""

    label: str
    marks: tuple[tuple[float, str], ...]


def decades(values: list[float]) -> tuple[tuple[float, str], ...]:
    """Take the powers of ten around some values.

    >>> decades([12.0, 340.0])
    ((10.0, '10'), (100.0, '100'), (1000.0, '1,000'))
    """
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return tuple((10.0**power, f"{10.0**power:,.10g}") for power in range(low, max(high, low + 1) + 1))


def svg(panels: list[Panel], across: Axis, up: Axis) -> str:
    """Draw panels over the same axes, and one legend."""
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    width, height = WIDTH * len(panels), HEIGHT + LEGEND
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' font-family="sans-serif" font-size="11" fill="#1f2430">'
        ),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for place, panel in enumerate(panels):
        parts.append(f'<g transform="translate({place * WIDTH} 0)">')
        parts += [*_axes(panel, across, up), *_lines(panel, across, up, colours), "</g>"]
    parts += [*_legend(colours), "</svg>", ""]
    return "\n".join(parts)


def _place(value: float, axis: Axis, start: float, end: float) -> float:
    low, high = math.log10(axis.marks[0][0]), math.log10(axis.marks[-1][0])
    return round(start + (math.log10(value) - low) / (high - low) * (end - start), 1)


def _x(value: float, axis: Axis) -> float:
    return _place(value, axis, LEFT + 8, WIDTH - RIGHT - 8)


def _y(value: float, axis: Axis) -> float:
    return _place(value, axis, HEIGHT - BOTTOM, TOP)


def _axes(panel: Panel, across: Axis, up: Axis) -> list[str]:
    parts = [f'<text x="{LEFT}" y="20" font-size="13" font-weight="bold">{escape(panel.title)}</text>']
    for value, label in up.marks:
        y = _y(value, up)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#dfe3ea"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(label)}</text>')
    for value, label in across.marks:
        x = _x(value, across)
        parts.append(f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#eef0f4"/>')
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(label)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across.label)}</text>')
    centre = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text transform="translate(13 {centre}) rotate(-90)" text-anchor="middle">{escape(up.label)}</text>')
    return parts


def _lines(panel: Panel, across: Axis, up: Axis, colours: dict[str, str]) -> list[str]:
    parts = []
    for line in panel.lines:
        points = [(_x(one, across), _y(other, up)) for one, other in line.points]
        path = " ".join(f"{x},{y}" for x, y in points)
        colour = colours[line.name]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="2.6" fill="{colour}"/>' for x, y in points]
    return parts


def _legend(colours: dict[str, str]) -> list[str]:
    parts, x = [], LEFT
    for name, colour in colours.items():
        y = HEIGHT + LEGEND / 2
        parts.append(f'<path d="M{x} {y}h22" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 28}" y="{y + 4}">{escape(name)}</text>')
        x += 50 + 7 * len(name)
    return parts
