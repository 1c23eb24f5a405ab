"""The language server: requests in, features asked, answers out.

Thin on purpose: what is said stands in one module a feature, when things are computed in `doraflow.editor.session`. A
fault in a request is logged and answered with an error; the server goes on.
"""

from __future__ import annotations

import gc
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from doraflow import __version__
from doraflow.editor.actions import fixes
from doraflow.editor.completion import MOST_COMPLETIONS, Asked, complete
from doraflow.editor.definition import definition, references
from doraflow.editor.hover import hover
from doraflow.editor.positions import Text, edited
from doraflow.editor.protocol import Writer
from doraflow.editor.rename import RenameRefusedError, rename, renameable
from doraflow.editor.roots import kind_of_text
from doraflow.editor.schema import Kind, schema
from doraflow.editor.session import Session
from doraflow.editor.symbols import symbols
from doraflow.editor.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Diagnostic
    from doraflow.editor.outline import Outline
    from doraflow.editor.positions import Place
    from doraflow.editor.snapshot import Snapshot

log = logging.getLogger(__name__)

_WATCHED = "**/*.{yml,yaml,py}"
_TRIGGERS = [":", "/", " ", "-", "[", "{", ","]


class DataflowServer(LanguageServer):
    """A server for one editor, with the files that are open in it."""

    def __init__(self) -> None:
        super().__init__("doraflow", __version__)
        self.session = Session(self._tell)
        self.uris: dict[str, str] = {}
        self._vocabularies: dict[Kind, Vocabulary] = {}
        self._sent: dict[str, list[types.Diagnostic]] = {}

    @property
    def encoding(self) -> str:
        """The encoding in whose units the editor counts columns."""
        return str(self.workspace.position_encoding)

    @property
    def can_watch(self) -> bool:
        """Whether the editor tells of changed files when it is asked to."""
        workspace = self.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace is not None else None
        return bool(watching is not None and watching.dynamic_registration)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log a fault; the user is not disturbed by it."""
        log.error("%s: %s", getattr(source, "__name__", source), error)

    def file(self, uri: str) -> str:
        """Give the path of a document; one that is no file is called by its URI."""
        path = to_fs_path(uri) if uri.startswith("file:") else None
        return Path(path).as_posix() if path is not None else f"/{uri}"

    def vocabulary(self, text: str) -> Vocabulary:
        """Give the words of the kind of file that a text is; of one that has none yet those of a dataflow."""
        kind = kind_of_text(text) or Kind.DATAFLOW
        if kind not in self._vocabularies:
            self._vocabularies[kind] = Vocabulary(schema(kind))
        return self._vocabularies[kind]

    def place(self, uri: str, position: types.Position) -> tuple[str, str, Place]:
        """Give the file of a request, its text, and the place in it."""
        file = self.file(uri)
        text = self.session.texts.get(file, "")
        return file, text, Text(text, self.encoding).place((position.line, position.character))

    def writer(self, snapshot: Snapshot | None) -> Writer:
        """Make what writes the places of a snapshot's files, or else of the open ones."""
        return Writer(snapshot.made.texts if snapshot is not None else self.session.texts, self.encoding, self.uris)

    def outline(self, file: str, snapshot: Snapshot | None) -> Outline | None:
        """Give the outline of a file."""
        return snapshot.outlines.get(file) if snapshot is not None else None

    def _tell(self, file: str, findings: Sequence[Diagnostic], snapshot: Snapshot | None) -> None:
        """Publish the findings of a file, if they are others than before."""
        writer = self.writer(snapshot)
        written = [writer.diagnostic(finding) for finding in findings]
        if self._sent.get(file) != written:
            self._sent[file] = written
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(writer.uri(file), written))


def serve() -> None:
    """Serve the editor at standard input and output, until it says goodbye or hangs up."""
    # A server stays, so the collector is awake; but a request on a large file makes 100,000 objects without a cycle
    # among them, and walking the trees of its snapshot each time took ten times as long as the answer.
    gc.enable()
    gc.set_threshold(100_000, 50, 100)
    make_server().start_io()


def make_server() -> DataflowServer:
    """Make a server with all features."""
    server = DataflowServer()
    _register_documents(server)
    _register_reading(server)
    _register_editing(server)
    return server


def _register_documents(server: DataflowServer) -> None:
    """Register what keeps the texts of the editor."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        file = server.file(params.text_document.uri)
        server.uris[file] = params.text_document.uri
        server.session.update(file, params.text_document.text)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        file = server.file(params.text_document.uri)
        changes = [(_range(change), change.text) for change in params.content_changes]
        server.session.update(file, edited(server.session.texts.get(file, ""), changes, server.encoding))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.session.disk_changed([server.file(params.text_document.uri)])

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.session.close(server.file(params.text_document.uri))

    @server.feature(types.INITIALIZED)
    def initialized(_params: types.InitializedParams) -> None:
        if server.can_watch:
            watched = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(_WATCHED)])
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            server.client_register_capability(
                types.RegistrationParams([types.Registration("watched-files", method, watched)])
            )

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(params: types.DidChangeWatchedFilesParams) -> None:
        server.session.disk_changed(server.file(change.uri) for change in params.changes)

    @server.feature(types.SHUTDOWN)
    def shutdown(_params: None) -> None:
        server.session.stop()


def _register_reading(server: DataflowServer) -> None:
    """Register what only looks."""

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=_TRIGGERS))
    def completion(params: types.CompletionParams) -> types.CompletionList:
        file, text, place = server.place(params.text_document.uri, params.position)
        asked = Asked(file, text, Path(file).parent, server.vocabulary(text), server.session.snapshot(file))
        found = complete(asked, place)
        writer = Writer({file: text}, server.encoding, server.uris)
        items = [writer.completion(item, rank) for rank, item in enumerate(found)]
        return types.CompletionList(is_incomplete=len(items) >= MOST_COMPLETIONS, items=items)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def explain(params: types.HoverParams) -> types.Hover | None:
        file, text, place = server.place(params.text_document.uri, params.position)
        snapshot = await server.session.current(file)
        found = hover(file, place, snapshot, server.vocabulary(text)) if snapshot is not None else None
        return server.writer(snapshot).hover(found) if found is not None else None

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def go_to(params: types.DefinitionParams) -> list[types.Location]:
        file, _, place = server.place(params.text_document.uri, params.position)
        snapshot = await server.session.current(file)
        writer = server.writer(snapshot)
        return [writer.location(span) for span in (definition(file, place, snapshot) if snapshot is not None else [])]

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def refer(params: types.ReferenceParams) -> list[types.Location]:
        file, _, place = server.place(params.text_document.uri, params.position)
        snapshot = await server.session.current(file)
        if snapshot is None:
            return []
        writer = server.writer(snapshot)
        found = references(file, place, snapshot, with_declaration=params.context.include_declaration)
        return [writer.location(span) for span in found]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def list_symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        file = server.file(params.text_document.uri)
        snapshot = await server.session.current(file)
        around = server.outline(file, snapshot)
        writer = server.writer(snapshot)
        return [writer.symbol(each) for each in symbols(around)] if around is not None else []


def _register_editing(server: DataflowServer) -> None:
    """Register what proposes edits."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
        file, _, place = server.place(params.text_document.uri, params.position)
        snapshot = await server.session.current(file)
        around = server.outline(file, snapshot)
        if around is None:
            return None
        try:
            found = renameable(around, place)
        except RenameRefusedError as refusal:
            raise JsonRpcException(str(refusal), types.LSPErrorCodes.RequestFailed) from None
        placeholder = found.scalar.text[found.start : found.end]
        return types.PrepareRenamePlaceholder(server.writer(snapshot).range(found.span), placeholder)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def carry_out(params: types.RenameParams) -> types.WorkspaceEdit | None:
        file, _, place = server.place(params.text_document.uri, params.position)
        snapshot = await server.session.current(file)
        around = server.outline(file, snapshot)
        if around is None:
            return None
        try:
            return server.writer(snapshot).edits(rename(around, place, params.new_name))
        except RenameRefusedError as refusal:
            raise JsonRpcException(str(refusal), types.LSPErrorCodes.RequestFailed) from None

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    async def act(params: types.CodeActionParams) -> list[types.CodeAction]:
        file = server.file(params.text_document.uri)
        snapshot = await server.session.current(file)
        if snapshot is None:
            return []
        writer = server.writer(snapshot)
        text = writer.text(file)
        start, end = (text.place((at.line, at.character)) for at in (params.range.start, params.range.end))
        return [writer.fix(fix) for fix in fixes(file, start, end, snapshot.made.diagnostics())]


def _range(change: types.TextDocumentContentChangeEvent) -> tuple[tuple[int, int], tuple[int, int]] | None:
    if not isinstance(change, types.TextDocumentContentChangePartial):
        return None
    start, end = change.range.start, change.range.end
    return (start.line, start.character), (end.line, end.character)
