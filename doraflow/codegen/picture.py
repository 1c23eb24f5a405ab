"""The graph as a picture: Mermaid, DOT, and a page of HTML that needs nothing from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.codegen.drawing import draw
from doraflow.codegen.templating import environment
from doraflow.ir import LogSubscription, Timer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.ir import Graph, Node, Output


def mermaid(graph: Graph) -> str:
    """Write a Mermaid flowchart; hosts are subgraphs where there are several."""
    names = {node.id: f"n{position}" for position, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for host, nodes in _by_host(graph):
        inset = "    " if host is None else "        "
        lines += [f'    subgraph {_mermaid_id(host)}["{_mermaid(host)}"]'] if host is not None else []
        lines += [f'{inset}{names[node.id]}["{_mermaid(node.id)}"]' for node in nodes]
        lines += ["    end"] if host is not None else []
    feeds = _feeds(graph)
    lines += [f'    t{position}(["{_mermaid(source)}"])' for position, source in enumerate(feeds)]
    for position, readers in enumerate(feeds.values()):
        lines += [f'    t{position} -->|"{_mermaid(port)}"| {names[node]}' for node, port in readers]
    for edge in graph.edges:
        label = _mermaid(edge_label(graph, edge.producer, edge.output, edge.input))
        lines.append(f'    {names[edge.producer]} -->|"{label}"| {names[edge.consumer]}')
    return "\n".join(lines) + "\n"


def dot(graph: Graph) -> str:
    """Write a Graphviz digraph; hosts are clusters where there are several."""
    lines = [f"digraph {_dot(graph.name)} {{", "    rankdir=LR;", "    node [shape=box, style=rounded];"]
    for position, (host, nodes) in enumerate(_by_host(graph)):
        inset = "    " if host is None else "        "
        lines += [f"    subgraph cluster_{position} {{", f"        label={_dot(host)};"] if host is not None else []
        lines += [f"{inset}{_dot(node.id)};" for node in nodes]
        lines += ["    }"] if host is not None else []
    for source, readers in _feeds(graph).items():
        lines.append(f"    {_dot(source)} [shape=ellipse];")
        lines += [f"    {_dot(source)} -> {_dot(node)} [label={_dot(port)}];" for node, port in readers]
    for edge in graph.edges:
        label = edge_label(graph, edge.producer, edge.output, edge.input)
        lines.append(f"    {_dot(edge.producer)} -> {_dot(edge.consumer)} [label={_dot(label)}];")
    return "\n".join([*lines, "}"]) + "\n"


def html(graph: Graph) -> str:
    """Write a page with the graph as inline SVG and a table of its edges; light and dark, nothing fetched."""
    page = environment().get_template("graph.html.j2")
    rows = [
        (edge.producer, edge.output, edge.consumer, edge.input, _short_type(_output(graph, edge.producer, edge.output)))
        for edge in graph.edges
    ]
    rows += [(source, "", node, port, "") for source, readers in _feeds(graph).items() for node, port in readers]
    return page.render(name=graph.name, drawing=draw(graph, _feeds(graph)), rows=rows)


def edge_label(graph: Graph, producer: str, output: str, port: str) -> str:
    """Name an edge: the output, its type in brackets, and the input where it is called otherwise."""
    kind = _short_type(_output(graph, producer, output))
    text = output + (f" [{kind}]" if kind else "")
    return text if port == output else f"{text} → {port}"


def _output(graph: Graph, node: str, output: str) -> Output:
    return next(port for port in graph.node(node).outputs if port.id == output)


def _short_type(output: Output) -> str:
    return output.type_name.rpartition("/")[2] if output.type_name else ""


def _by_host(graph: Graph) -> Iterator[tuple[str | None, list[Node]]]:
    """Group the nodes by host, in the order of the file; a single host is not drawn."""
    groups: dict[str, list[Node]] = {}
    for node in graph.nodes:
        groups.setdefault(node.host, []).append(node)
    for host, nodes in groups.items():
        yield (host if len(groups) > 1 else None), nodes


def _feeds(graph: Graph) -> dict[str, list[tuple[str, str]]]:
    """List what is not a node but feeds one, timers and the log, with the inputs that read it."""
    feeds: dict[str, list[tuple[str, str]]] = {}
    for node in graph.nodes:
        for port in node.inputs:
            if isinstance(port.source, Timer | LogSubscription):
                feeds.setdefault(str(port.source), []).append((node.id, port.id))
    return feeds


def _mermaid(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in " _-./→[]=," else f"#{ord(letter)};" for letter in text)


def _mermaid_id(host: str) -> str:
    return "host_" + "".join(letter if letter.isalnum() else f"_{ord(letter)}_" for letter in host)


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
