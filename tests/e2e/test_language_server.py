"""The language server as an editor uses it: a real process, spoken to over its standard input and output."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

PATIENCE_S = 20.0
FLOW = """\
nodes:
  - id: camera  # 😀
    path: a.py
    outputs: [image, depth]
  - {id: reader, path: a.py, inputs: {x: camera/image, d: camera/depth}}
"""
X = 41  # where the source of `x` begins
UNSAVED_MODULE = "module: {name: m, outputs: [y]}\nnodes:\n  - {id: p, path: a.py, outputs: [y]}\n"


class Editor:
    """An editor with some files open."""

    def __init__(self, folder: Path, client: LanguageClient) -> None:
        self.folder = folder
        self.client = client
        self.versions: dict[str, int] = {}
        self.published: dict[str, list[types.Diagnostic]] = {}
        self.news = asyncio.Event()
        self.watched: list[str] = []

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def take(params: types.PublishDiagnosticsParams) -> None:
            self.published[params.uri] = list(params.diagnostics)
            self.news.set()

        @client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.watched += [registration.method for registration in params.registrations]

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> None:
        self.versions[name] = 1
        item = types.TextDocumentItem(uri=self.uri(name), language_id="yaml", version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, name: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        self.versions[name] += 1
        part = types.TextDocumentContentChangePartial(
            range=types.Range(types.Position(*start), types.Position(*end)), text=text
        )
        document = types.VersionedTextDocumentIdentifier(uri=self.uri(name), version=self.versions[name])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [part]))

    def close(self, name: str) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.document(name)))

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    async def findings(self, name: str, codes: list[str]) -> list[types.Diagnostic]:
        """Wait until exactly these codes are published for a file."""

        async def wait() -> list[types.Diagnostic]:
            uri = self.uri(name)
            while uri not in self.published or [each.code for each in self.published[uri]] != codes:
                self.news.clear()
                await self.news.wait()
            return self.published[uri]

        try:
            return await asyncio.wait_for(wait(), PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"expected {codes}, published are {self.published}") from None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("")
    return tmp_path


async def in_editor(
    folder: Path, act: Callable[[Editor], Coroutine[Any, Any, None]], *encodings: types.PositionEncodingKind
) -> str:
    """Start a server, act, and end it; gives what it logged."""
    client = LanguageClient("an editor", "1")
    await client.start_io(sys.executable, "-m", "doraflow", "lsp", env={**os.environ, "NO_COLOR": "1"})
    server = client._server
    assert server is not None
    assert server.stderr is not None
    try:
        general = types.GeneralClientCapabilities(position_encodings=list(encodings) or None)
        watching = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
        workspace = types.WorkspaceClientCapabilities(did_change_watched_files=watching)
        capabilities = types.ClientCapabilities(general=general, workspace=workspace)
        wanted = types.InitializeParams(capabilities=capabilities, root_uri=folder.as_uri())
        await asyncio.wait_for(client.initialize_async(wanted), PATIENCE_S)
        editor = Editor(folder, client)
        client.initialized(types.InitializedParams())
        await asyncio.wait_for(act(editor), 4 * PATIENCE_S)
        await asyncio.wait_for(client.shutdown_async(None), PATIENCE_S)
        client.exit(None)
        await asyncio.wait_for(client.stop(), PATIENCE_S)
        assert server.returncode == 0
        return (await server.stderr.read()).decode()
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


def test_findings_follow_the_typing_and_go_when_the_file_is_closed(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", FLOW)
        assert await editor.findings("dataflow.yml", []) == []
        editor.change("dataflow.yml", (4, X + 7), (4, X + 12), "imgae")
        (found,) = await editor.findings("dataflow.yml", ["DF204"])
        assert found.range == types.Range(types.Position(4, X), types.Position(4, X + 12))
        assert found.severity is types.DiagnosticSeverity.Error
        assert found.message == "`camera` has no output `imgae`\nhint: to read the closest output, write `camera/image`"
        assert found.source == "doraflow"
        (related,) = found.related_information or []
        assert (related.location.uri, related.message) == (editor.uri("dataflow.yml"), "declares `image`, `depth`")
        assert related.location.range.start == types.Position(1, 8)
        assert found.code_description is not None
        assert found.code_description.href.endswith("/DF204.md")
        editor.change("dataflow.yml", (4, X + 7), (4, X + 12), "image")
        await editor.findings("dataflow.yml", [])
        editor.change("dataflow.yml", (4, X + 7), (4, X + 12), "imgae")
        await editor.findings("dataflow.yml", ["DF204"])
        editor.close("dataflow.yml")
        await editor.findings("dataflow.yml", [])

    assert asyncio.run(in_editor(folder, act)) == ""


def test_unused_outputs_and_old_spellings_are_tagged(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", FLOW.replace(", d: camera/depth", ""))
        (unused,) = await editor.findings("dataflow.yml", ["DF207"])
        assert unused.tags == [types.DiagnosticTag.Unnecessary] or unused.tags == (types.DiagnosticTag.Unnecessary,)
        editor.open("old.yml", "communication: {zenoh: {}}\n" + FLOW)
        old = next(each for each in await editor.findings("old.yml", ["DF113"]) if each.code == "DF113")
        assert list(old.tags or ()) == [types.DiagnosticTag.Deprecated]

    asyncio.run(in_editor(folder, act))


@pytest.mark.parametrize(
    ("encoding", "units"),
    [
        (types.PositionEncodingKind.Utf16, 2),
        (types.PositionEncodingKind.Utf8, 4),
        (types.PositionEncodingKind.Utf32, 1),
    ],
)
def test_columns_count_in_the_units_that_were_agreed(
    folder: Path, encoding: types.PositionEncodingKind, units: int
) -> None:
    reader = "  - {id: b, path: a.py, inputs: {x: a/x}}\n"
    flow = "nodes:\n  - {id: a, path: a.py, description: 😀, outputs: [x]}\n" + reader

    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", flow)
        after = len("  - {id: a, path: a.py, description: ") + units + len(", outputs: [")
        editor.change("dataflow.yml", (1, after), (1, after + 1), "y")
        (found,) = await editor.findings("dataflow.yml", ["DF204"])
        assert found.range.start == types.Position(2, reader.index("a/x"))
        editor.change("dataflow.yml", (1, after), (1, after + 1), "😀")
        (found,) = await editor.findings("dataflow.yml", ["DF105"])
        assert found.range == types.Range(types.Position(1, after), types.Position(1, after + units))

    asyncio.run(in_editor(folder, act, encoding))


def test_unsaved_modules_count(folder: Path) -> None:
    (folder / "m.yml").write_text(UNSAVED_MODULE.replace("y]", "x]"))
    flow = "nodes:\n  - {id: m, module: m.yml}\n  - {id: r, path: a.py, inputs: {i: m/y}}\n"

    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", flow)
        await editor.findings("dataflow.yml", ["DF121"])
        editor.open("m.yml", UNSAVED_MODULE)
        await editor.findings("dataflow.yml", [])
        places = await editor.client.text_document_definition_async(
            types.DefinitionParams(editor.document("dataflow.yml"), types.Position(2, 38))
        )
        assert [place.uri for place in places or ()] == [editor.uri("m.yml")]
        editor.change("m.yml", (0, 28), (0, 29), "z")
        await editor.findings("dataflow.yml", ["DF121"])
        editor.close("m.yml")
        await editor.findings("dataflow.yml", ["DF121"])

    asyncio.run(in_editor(folder, act))


def test_a_module_alone_and_a_foreign_file_are_served_as_what_they_are(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        editor.open(
            "m.yml",
            UNSAVED_MODULE.replace("outputs: [y]}\n", "ouputs: [y], outputs: [y]}\n", 1).replace(
                "path: a.py,", "path: a.py, ouputs: [q],"
            ),
        )
        found = await editor.findings("m.yml", ["DF101", "DF101"])
        assert [each.range.start.line for each in found] == [0, 2]
        editor.open("compose.yml", "services:\n  web: {image: x}\n")
        hover = await editor.client.text_document_hover_async(
            types.HoverParams(editor.document("compose.yml"), types.Position(0, 2))
        )
        assert hover is None
        assert editor.uri("compose.yml") not in {uri for uri, found in editor.published.items() if found}

    asyncio.run(in_editor(folder, act))


def test_every_request_is_answered(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        client, document = editor.client, editor.document("dataflow.yml")
        editor.open("dataflow.yml", FLOW)
        at = types.Position(4, X + 9)
        hover = await client.text_document_hover_async(types.HoverParams(document, at))
        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert hover.contents.value.startswith("**image** of `camera`")
        assert hover.range == types.Range(types.Position(4, X), types.Position(4, X + 12))
        (place,) = list(await client.text_document_definition_async(types.DefinitionParams(document, at)) or ())
        assert (place.uri, place.range.start) == (document.uri, types.Position(3, 14))
        context = types.ReferenceContext(include_declaration=True)
        places = await client.text_document_references_async(types.ReferenceParams(context, document, at))
        assert [each.range.start for each in places or ()] == [types.Position(3, 14), types.Position(4, X + 7)]
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        assert [symbol.name for symbol in symbols or ()] == ["camera", "reader"]
        offered = await client.text_document_completion_async(types.CompletionParams(document, at))
        assert isinstance(offered, types.CompletionList)
        assert offered.items[0].label == "camera/image"
        assert offered.items[0].text_edit == types.TextEdit(
            types.Range(types.Position(4, X), types.Position(4, X + 12)), "camera/image"
        )
        ready = await client.text_document_prepare_rename_async(types.PrepareRenameParams(document, at))
        assert isinstance(ready, types.PrepareRenamePlaceholder)
        assert ready.placeholder == "image"
        edit = await client.text_document_rename_async(types.RenameParams(document, at, "picture"))
        assert edit is not None
        ((uri, edits),) = (edit.changes or {}).items()
        assert uri == document.uri
        assert [(each.range.start, each.new_text) for each in edits] == [
            (types.Position(3, 14), "picture"),
            (types.Position(4, X + 7), "picture"),
        ]

    asyncio.run(in_editor(folder, act))


def test_a_quick_fix_writes_what_the_finding_says(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", FLOW.replace("camera/image", "camera/imgae").replace(", depth", ""))
        (wrong, *_) = await editor.findings("dataflow.yml", ["DF204", "DF204"])
        context = types.CodeActionContext(diagnostics=[wrong])
        wanted = types.CodeActionParams(editor.document("dataflow.yml"), wrong.range, context)
        (action,) = await editor.client.text_document_code_action_async(wanted) or ()
        assert isinstance(action, types.CodeAction)
        assert (action.title, action.kind) == ("Write `camera/image`", types.CodeActionKind.QuickFix)
        assert action.edit is not None
        ((uri, (edit,)),) = (action.edit.changes or {}).items()
        assert (uri, edit.range, edit.new_text) == (editor.uri("dataflow.yml"), wrong.range, "camera/image")

    asyncio.run(in_editor(folder, act))


def test_a_completion_is_given_in_the_middle_of_a_line(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", FLOW)
        await editor.findings("dataflow.yml", [])
        editor.change(
            "dataflow.yml",
            (5, 0),
            (5, 0),
            "  - id: next\n    path: a.py\n    inputs:\n      x: camera/\n    env: {A: [}\n",
        )
        offered = await editor.client.text_document_completion_async(
            types.CompletionParams(editor.document("dataflow.yml"), types.Position(8, 16))
        )
        assert isinstance(offered, types.CompletionList)
        assert [item.label for item in offered.items][:2] == ["camera/image", "camera/depth"]
        await editor.findings("dataflow.yml", ["DF004"])

    asyncio.run(in_editor(folder, act))


def test_a_rename_that_is_refused_says_why_and_the_server_goes_on(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", FLOW)
        document = editor.document("dataflow.yml")
        with pytest.raises(JsonRpcException, match="`depth` is taken: there is an output of `camera`"):
            await editor.client.text_document_rename_async(types.RenameParams(document, types.Position(3, 16), "depth"))
        with pytest.raises(JsonRpcException, match="there is no name here to rename"):
            await editor.client.text_document_prepare_rename_async(
                types.PrepareRenameParams(document, types.Position(0, 2))
            )
        symbols = await editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        assert symbols

    asyncio.run(in_editor(folder, act))


def test_files_are_called_as_the_editor_calls_them(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        odd, untitled = f"{editor.uri('')}/with%20space%2B(1).yml", "untitled:Untitled-1"
        editor.uri = lambda name: {"odd": odd, "untitled": untitled}[name]  # type: ignore[method-assign]
        for name in ("odd", "untitled"):
            editor.open(name, FLOW.replace("camera/image", "camera/imgae"))
            found = await editor.findings(name, ["DF601", "DF601", "DF204"] if name == "untitled" else ["DF204"])
            related = next(each.related_information for each in found if each.code == "DF204")
            assert [each.location.uri for each in related or ()] == [editor.uri(name)]

    asyncio.run(in_editor(folder, act))


def test_what_is_saved_by_others_is_seen(folder: Path) -> None:
    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", FLOW.replace("path: a.py", "path: new.py", 1))
        await editor.findings("dataflow.yml", ["DF601"])
        assert editor.watched == ["workspace/didChangeWatchedFiles"]
        (folder / "new.py").write_text("")
        event = types.FileEvent(editor.uri("new.py"), types.FileChangeType.Created)
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await editor.findings("dataflow.yml", [])

    asyncio.run(in_editor(folder, act))


def test_typing_in_a_large_file_stays_quick_and_only_the_last_state_is_told(folder: Path) -> None:
    nodes = "".join(
        f"  - {{id: n{number}, path: a.py, inputs: {{t: dora/timer/millis/100}}}}\n" for number in range(2000)
    )

    async def act(editor: Editor) -> None:
        editor.open("dataflow.yml", "nodes:\n" + nodes)
        for number in range(10):
            editor.change("dataflow.yml", (0, 0), (0, 0), f"# {number}\n")
            begun = time.monotonic()
            await editor.client.text_document_completion_async(
                types.CompletionParams(editor.document("dataflow.yml"), types.Position(number + 2, 4))
            )
            assert time.monotonic() - begun < PATIENCE_S / 4
        editor.change("dataflow.yml", (11, 5), (11, 7), "xd")
        (found, *_) = await editor.findings("dataflow.yml", ["DF101"])
        assert found.range.start.line == 11

    asyncio.run(in_editor(folder, act))


def test_a_server_whose_editor_is_gone_ends(folder: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "doraflow", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, errors = server.communicate(b"Content-Length: 5\r\n\r\nhello", timeout=PATIENCE_S)
    finally:
        server.kill()
    assert server.returncode == 0
    assert b"Content-Length" not in out or b"error" in out
    assert b"Unable to handle message" in errors


def test_without_pygls_the_command_says_how_to_get_it(folder: Path) -> None:
    (folder / "pygls").mkdir()
    (folder / "pygls/__init__.py").write_text("raise ModuleNotFoundError('no pygls', name='pygls')\n")
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "doraflow", "lsp"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "error: the language server needs `pygls`: install it with `pip install 'pygls>=2.0'`\n"
