"""Diagnostics in the forms that people and tools read: text, JSON, SARIF, GitHub annotations. Nothing here prints."""

from doraflow.render.github import render_github
from doraflow.render.objects import render_json
from doraflow.render.sarif import render_sarif
from doraflow.render.text import Piece, count_line, render_text, text_pieces

__all__ = ["Piece", "count_line", "render_github", "render_json", "render_sarif", "render_text", "text_pieces"]
