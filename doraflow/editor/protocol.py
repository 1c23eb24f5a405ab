"""What features give, as the language server protocol writes it: positions in code units, kinds as numbers.

The only place, beside the server, that knows the protocol's types.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from doraflow.diagnostics import Severity
from doraflow.editor.completion import CompletionKind
from doraflow.editor.positions import Text
from doraflow.editor.symbols import SymbolKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doraflow.diagnostics import Diagnostic, Span
    from doraflow.editor.actions import Fix
    from doraflow.editor.completion import Completion
    from doraflow.editor.hover import Hover
    from doraflow.editor.rename import Edit
    from doraflow.editor.symbols import Symbol

SOURCE = "doraflow"

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_TAGS = {"DF207": types.DiagnosticTag.Unnecessary, "DF113": types.DiagnosticTag.Deprecated}
_COMPLETIONS = {
    CompletionKind.KEY: types.CompletionItemKind.Property,
    CompletionKind.WORD: types.CompletionItemKind.EnumMember,
    CompletionKind.NAME: types.CompletionItemKind.Reference,
    CompletionKind.TYPE: types.CompletionItemKind.Struct,
    CompletionKind.FILE: types.CompletionItemKind.File,
}
_SYMBOLS = {
    SymbolKind.MODULE: types.SymbolKind.Module,
    SymbolKind.NODE: types.SymbolKind.Class,
    SymbolKind.OPERATOR: types.SymbolKind.Function,
    SymbolKind.INPUT: types.SymbolKind.Field,
    SymbolKind.OUTPUT: types.SymbolKind.Event,
}


class Writer:
    """Writes spans of some texts, given by display path, for one client. Paths are absolute.

    `uris` are the files that the client has open, as it spells them: not all clients know another spelling again.
    """

    def __init__(self, texts: Mapping[str, str], encoding: str, uris: Mapping[str, str]) -> None:
        self._uris = uris
        self._texts = texts
        self._encoding = encoding
        self._counted: dict[str, Text] = {}

    def uri(self, file: str) -> str:
        """Give the URI of a file."""
        return self._uris.get(file) or Path(file).as_uri()

    def text(self, file: str) -> Text:
        """Give a file's text with its lines counted."""
        if file not in self._counted:
            self._counted[file] = Text(self._texts.get(file, ""), self._encoding)
        return self._counted[file]

    def range(self, span: Span) -> types.Range:
        """Write a span."""
        (line, column), (end_line, end_column) = self.text(span.file).range_of(span)
        return types.Range(types.Position(line, column), types.Position(end_line, end_column))

    def location(self, span: Span) -> types.Location:
        """Write a span with its file."""
        return types.Location(self.uri(span.file), self.range(span))

    def diagnostic(self, finding: Diagnostic) -> types.Diagnostic:
        """Write a finding; notes and the hint stand below its message."""
        said = [finding.message, *(f"note: {note}" for note in finding.notes)]
        said += [f"hint: {finding.help}"] if finding.help else []
        start = types.Range(types.Position(0, 0), types.Position(0, 0))
        page = _page(finding.code)
        related = [types.DiagnosticRelatedInformation(self.location(each.span), each.text) for each in finding.related]
        return types.Diagnostic(
            range=self.range(finding.span) if finding.span is not None else start,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=types.CodeDescription(page) if page is not None else None,
            source=SOURCE,
            message="\n".join(said),
            tags=[_TAGS[finding.code]] if finding.code in _TAGS else None,
            related_information=related or None,
        )

    def hover(self, hover: Hover) -> types.Hover:
        """Write a hover."""
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, hover.text), self.range(hover.span))

    def completion(self, item: Completion, rank: int) -> types.CompletionItem:
        """Write a completion; `rank` keeps the order in which they were given."""
        markdown = types.MarkupContent(types.MarkupKind.Markdown, item.documentation)
        return types.CompletionItem(
            label=item.label,
            kind=_COMPLETIONS[item.kind],
            detail=item.detail or None,
            documentation=markdown if item.documentation else None,
            text_edit=types.TextEdit(self.range(item.span), item.new_text),
            filter_text=item.label,
            sort_text=f"{rank:05}",
        )

    def symbol(self, symbol: Symbol) -> types.DocumentSymbol:
        """Write a symbol with those inside it; symbols nest three deep at most."""
        return types.DocumentSymbol(
            name=symbol.name,
            kind=_SYMBOLS[symbol.kind],
            detail=symbol.detail or None,
            range=self.range(symbol.span),
            selection_range=self.range(symbol.name_span),
            children=[self.symbol(child) for child in symbol.children],
        )

    def edits(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        """Write edits, by file."""
        changes: dict[str, list[types.TextEdit]] = {}
        for edit in edits:
            changes.setdefault(self.uri(edit.span.file), []).append(
                types.TextEdit(self.range(edit.span), edit.new_text)
            )
        return types.WorkspaceEdit(changes=dict(changes))

    def fix(self, fix: Fix) -> types.CodeAction:
        """Write a quick fix."""
        return types.CodeAction(
            title=fix.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(fix.finding)],
            is_preferred=True,
            edit=self.edits([fix.edit]),
        )


def _page(code: str) -> str | None:
    """Give the URI of the page that explains a code, in this installation; None if there is none on the disk."""
    page = resources.files("doraflow.explanations").joinpath(f"{code}.md")
    return page.as_uri() if isinstance(page, Path) and page.is_file() else None
