"""Writes docs/diagnostics.md from the table of codes: `python -m docs.generate`."""

from __future__ import annotations

from pathlib import Path

from doraflow.codes import CODES

PAGE = Path(__file__).with_name("diagnostics.md")
RANGES = {
    "0": "Text and YAML",
    "1": "Keys and values",
    "2": "Names and references",
    "3": "Types",
    "4": "Loops and queues",
    "5": "Placement",
    "6": "Sources and build steps",
    "7": "The bundle",
    "8": "Launching",
    "9": "Not carried out by this version",
}


def page() -> str:
    """Write the page."""
    lines = ["# Diagnostics", "", "Every finding has a code. Codes keep their meaning for good.", ""]
    for digit, title in RANGES.items():
        lines += [f"## {title}", "", "| code | what it says |", "|---|---|"]
        lines += [f"| {code} | {meaning} |" for code, meaning in CODES.items() if code[2] == digit]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
