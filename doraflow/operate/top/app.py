"""The screen itself: tables of runs, nodes and ports, a log with a search, and keys that act.

What is shown comes from a `Source`, asked in a thread of its own, so that a run that hangs never freezes the screen.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from doraflow_runtime.control.messages import Pause, Restart, Resume, Stop
from rich.text import Text
from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Footer, Header, Input, RichLog
from textual.worker import get_current_worker

from doraflow.operate.rows import NodeRow, node_rows
from doraflow.operate.tables import STATE_STYLES, Cell
from doraflow.operate.top.columns import COLUMNS, NAMES, PORT_TITLES, cells, filtered, ordered, port_cells
from doraflow.operate.top.confirming import Confirm
from doraflow.operate.top.settings import TopSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow_runtime.control.messages import NodeMetrics, Request
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from doraflow.operate.top.source import RunView, Source

RUN_TITLES = ("RUN", "STATE", "NODES", "FAILED", "IN/S", "STARTED")
_LEVEL_STYLES = {"error": "bold red", "warn": "yellow", "debug": "dim", "trace": "dim"}


class Top(App[None]):
    """All runs of this user on one screen."""

    TITLE = "doraflow"
    CSS = """
    #runs { height: auto; max-height: 8; border: round $primary; }
    #nodes { height: 1fr; border: round $primary; }
    #below { height: 1fr; }
    #ports { width: 1fr; border: round $primary; }
    #talk { width: 1fr; border: round $primary; }
    #log { height: 1fr; }
    Input { display: none; height: 3; }
    Input.shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "quit", "Quit"),
        ("p", "pause", "Pause/resume"),
        ("r", "restart", "Restart"),
        ("x", "stop", "Stop run"),
        ("slash", "find('filter')", "Filter"),
        ("l", "find('search')", "Search log"),
        ("s", "sort", "Sort"),
        ("d", "turn", "Reverse"),
        ("a", "all_logs", "Log of all"),
        ("escape", "leave", "Back"),
    ]

    def __init__(self, source: Source, settings: TopSettings | None = None) -> None:
        super().__init__()
        self._source = source
        self._settings = settings or TopSettings()
        self._views: tuple[RunView, ...] = ()
        self._run = ""
        self._node = ""
        self._sort = self._settings.sort
        self._is_descending = self._settings.descending
        self._shows_all = False
        self._lines: list[tuple[str, str]] | None = None
        self._columns: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Header()
        yield DataTable(id="runs", cursor_type="row")
        yield Input(placeholder="nodes or states that hold this text", id="filter")
        yield DataTable(id="nodes", cursor_type="row", zebra_stripes=True)
        with Horizontal(id="below"):
            yield DataTable(id="ports", cursor_type="row")
            with Vertical(id="talk"):
                yield Input(placeholder="log lines that hold this text", id="search")
                yield RichLog(id="log", wrap=False, max_lines=self._settings.log_lines, highlight=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        if self._settings.theme in self.available_themes:
            self.theme = self._settings.theme
        else:
            known = ", ".join(sorted(self.available_themes))
            self.notify(f"there is no theme `{self._settings.theme}`; there are {known}", severity="warning")
        self.table("runs").add_columns(*RUN_TITLES)
        self.table("ports").add_columns(*PORT_TITLES)
        for name, title in (("runs", "Runs"), ("nodes", "Nodes"), ("ports", "Ports")):
            self.table(name).border_title = title
        self.table("nodes").focus()
        self.set_interval(self._settings.refresh_seconds, self.look)
        self.look()

    def on_unmount(self) -> None:
        """Hang up."""
        self._source.close()

    def table(self, name: str) -> DataTable[Text]:
        """Find a table by its name."""
        return self.query_one(f"#{name}", DataTable)

    # ---- looking

    def look(self) -> None:
        """Ask everything anew, in a thread; a look that still goes on is not begun twice."""
        if not any(worker.group == "look" and not worker.is_finished for worker in self.workers):
            self.run_worker(self._look, thread=True, group="look")

    def _look(self) -> None:
        worker = get_current_worker()
        views = self._source.look()
        self.call_from_thread(self._show, views)
        view = self._view()
        lines: list[tuple[str, str]] = []
        if view is not None:
            text = self.query_one("#search", Input).value
            node = "" if self._shows_all else self._node
            lines = self._source.log(view, node, text, self._settings.log_lines)
        if not worker.is_cancelled:
            self.call_from_thread(self._show_log, lines)

    def _show(self, views: tuple[RunView, ...]) -> None:
        self._views = views
        _fill(self.table("runs"), [(view.name, _run_cells(view)) for view in views])
        if self._view() is None:
            self._run = views[0].name if views else ""
        self.sub_title = f"{len(views)} run{'' if len(views) == 1 else 's'}" if views else "nothing runs"
        self._show_nodes()

    def _show_nodes(self) -> None:
        view = self._view()
        self._settle_columns()
        rows = filtered(self._rows(view), self.query_one("#filter", Input).value)
        chosen = ordered(rows, self._sort, is_descending=self._is_descending)
        _fill(self.table("nodes"), [(row.node, _texts(cells(row, self._columns))) for row in chosen])
        if self._node not in [row.node for row in chosen]:
            self._node = chosen[0].node if chosen else ""
        arrow = "↓" if self._is_descending else "↑"
        order = f" by {self._sort} {arrow}" if self._sort else ""
        self.table("nodes").border_title = f"Nodes of {view.name}{order}" if view is not None else "Nodes"
        self.table("nodes").border_subtitle = _trouble(view) if view is not None else ""
        self._show_ports()

    def _show_ports(self) -> None:
        view = self._view()
        found = next((node for node in _measured(view) if node.node == self._node), None)
        rows = [_texts(row) for row in port_cells(found)]
        _fill(self.table("ports"), [(f"{row[1].plain} {row[0].plain}", row) for row in rows])
        self.table("ports").border_title = f"Ports of {self._node}" if self._node else "Ports"

    def _show_log(self, lines: list[tuple[str, str]]) -> None:
        of = "all nodes" if self._shows_all else self._node
        self.query_one("#talk").border_title = f"Log of {of}" if of else "Log"
        if lines == self._lines:
            return
        self._lines = lines
        log = self.query_one("#log", RichLog)
        log.clear()
        for level, line in lines:
            log.write(Text.from_ansi(line, style=_LEVEL_STYLES.get(level, "")))

    def _view(self) -> RunView | None:
        return next((view for view in self._views if view.name == self._run), None)

    def _rows(self, view: RunView | None) -> tuple[NodeRow, ...]:
        hosts = view.hosts if view is not None else ()
        return tuple(row for host in hosts if host.status is not None for row in node_rows(host.status, host.metrics))

    def _settle_columns(self) -> None:
        """Show hosts where a run has several, and titles to match."""
        has_hosts = any(view.others for view in self._views)
        wanted = tuple(name for name in self._settings.columns if name != "host" or has_hosts)
        if wanted != self._columns:
            self._columns = wanted
            titles = {column.name: column.title for column in COLUMNS}
            self.table("nodes").clear(columns=True).add_columns(*(titles[name] for name in wanted))

    # ---- what the user does

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Follow the cursor."""
        key = event.row_key.value
        if key is None or not event.data_table.has_focus:
            return
        if event.data_table.id == "runs" and key != self._run:
            self._run = key
            self._show_nodes()
            self.look()
        elif event.data_table.id == "nodes" and key != self._node:
            self._node = key
            self._show_ports()
            self.look()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter or search while the text is written."""
        if event.input.id == "filter":
            self._show_nodes()
        else:
            self.look()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Go back to the nodes; the text stays in force."""
        self.table("nodes").focus()

    def action_find(self, name: str) -> None:
        """Open a text to filter nodes or search the log with."""
        field = self.query_one(f"#{name}", Input)
        field.add_class("shown")
        field.focus()

    def action_leave(self) -> None:
        """Close the open texts and show everything again."""
        for field in self.query(Input):
            field.value = ""
            field.remove_class("shown")
        self.table("nodes").focus()

    def action_sort(self) -> None:
        """Sort by the next column; behind the last comes the order of the dataflow."""
        names = ("", *(name for name in NAMES if name in self._settings.columns))
        self._sort = names[(names.index(self._sort) + 1) % len(names)] if self._sort in names else ""
        self._show_nodes()

    def action_turn(self) -> None:
        """Turn the order around."""
        self._is_descending = not self._is_descending
        self._show_nodes()

    def action_all_logs(self) -> None:
        """Show the log of all nodes, or of the one again."""
        self._shows_all = not self._shows_all
        self.look()

    def action_pause(self) -> None:
        """Pause the node, or let it go on."""
        row = self._chosen()
        if row is not None:
            self._ask(Resume(row.node) if row.state == "paused" else Pause(row.node), row.host)

    def action_restart(self) -> None:
        """Restart the node."""
        row = self._chosen()
        if row is not None:
            self._ask(Restart(row.node), row.host)

    def _chosen(self) -> NodeRow | None:
        return next((row for row in self._rows(self._view()) if row.node == self._node), None)

    def action_stop(self) -> None:
        """Stop the run, after a question."""
        run = self._run
        if run:
            self.push_screen(
                Confirm(f"Stop every node of {run}?"), lambda said: self._ask(Stop(), run=run) if said else None
            )

    def _ask(self, request: Request, host: str = "", run: str = "") -> None:
        self.run_worker(partial(self._act, run or self._run, request, host), thread=True, group="act")

    def _act(self, run: str, request: Request, host: str) -> None:
        answer = self._source.act(run, request, host)
        self.call_from_thread(self.notify, answer or "done", title=run)
        self.call_from_thread(self.look)


def _measured(view: RunView | None) -> list[NodeMetrics]:
    hosts = view.hosts if view is not None else ()
    return [node for host in hosts if host.metrics is not None for node in host.metrics.nodes]


def _trouble(view: RunView) -> str:
    """Say what stands against a run, and which of its hosts do not answer."""
    silent = [f"{host.host} {host.state}" for host in view.others if host.status is None]
    return ", ".join(filter(None, [view.trouble, *silent]))


def _run_cells(view: RunView) -> list[Text]:
    status = view.status
    state = "no answer" if status is None else status.state
    standing = [node for host in view.hosts if host.status is not None for node in host.status.nodes]
    failed = sum(node.state == "failed" for node in standing)
    rate = sum(port.rate for node in _measured(view) for port in node.inputs) / 1000
    return [
        Text(view.name, "bold"),
        Text(state, STATE_STYLES.get(state, "yellow")),
        Text(str(max(view.nodes, len(standing))), justify="right"),
        Text(str(failed), "bold red" if failed else "", justify="right"),
        Text(f"{rate:,.0f}", justify="right"),
        Text(view.started[:19].replace("T", " ")),
    ]


def _texts(row: Sequence[Cell]) -> list[Text]:
    return [Text(cell.text, cell.style, justify="right" if cell.is_number else "left") for cell in row]


def _fill(table: DataTable[Text], rows: Sequence[tuple[str, list[Text]]]) -> None:
    """Show rows by their keys; the cursor stays with its row, and nothing moves where only cells change."""
    known = [key.value for key in table.rows]
    if known == [key for key, _ in rows]:
        for at, (_, row) in enumerate(rows):
            for column, cell in enumerate(row):
                table.update_cell_at(Coordinate(at, column), cell, update_width=True)
        return
    cursor = known[table.cursor_row] if 0 <= table.cursor_row < len(known) else None
    table.clear()
    for key, row in rows:
        table.add_row(*row, key=key)
    keys = [key for key, _ in rows]
    if cursor in keys:
        table.move_cursor(row=keys.index(cursor))
