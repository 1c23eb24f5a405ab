"""Environment variables that other programs obey: those that change what is loaded or which program is meant.

Such a variable is given to the node as it stands; it only is not what it looks like, a setting of the node alone.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.parser.syntax import ScalarNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import Entry

_OBEYED: Mapping[str, str] = MappingProxyType(
    {
        "PYTHONPATH": "it takes the place of the path on which a Python node finds the runtime and its stubs",
        "PYTHONHOME": "Python looks for its own library there, and does not start if it is another version's",
        "PYTHONSTARTUP": "a Python that becomes interactive runs that file first",
        "PYTHONINSPECT": "Python waits at a prompt when the script has ended",
        "PYTHONUSERBASE": "Python loads packages from there before those of the machine",
        "BASH_ENV": "every bash script that the node starts runs that file first",
        "IFS": "a shell that takes it over splits words at other characters",
        "SHELLOPTS": "bash takes its options from it, in every script that the node starts",
        "NODE_OPTIONS": "every Node.js that the node starts takes options from it, and may load other code first",
        "PERL5OPT": "every Perl that the node starts takes options from it, and may load other code first",
        "PERL5LIB": "every Perl that the node starts loads modules from there first",
        "RUBYOPT": "every Ruby that the node starts takes options from it, and may load other code first",
        "RUBYLIB": "every Ruby that the node starts loads code from there first",
        "GCONV_PATH": "the C library loads its converters from there, into every program",
    }
)
_AGENT = re.compile(r"-javaagent:|-agentlib:|-agentpath:|-Xbootclasspath")
_JAVA = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
_HOST_PATH = re.compile(r"\$PATH(?![A-Za-z0-9_])|\$\{PATH\}")
_MACOS_LOADER = "DYLD_"


def check_loader(entry: Entry, sink: Sink) -> None:
    """Judge a variable of an `env` map; a name that is dropped anyway is not to be given."""
    name = entry.key.text
    text = entry.value.text if isinstance(entry.value, ScalarNode) else ""
    consequence, mend = _OBEYED.get(name), "remove it, or let the program that needs it set it for itself"
    if name == "PYTHONPATH":
        mend = "put the modules beside the script, or install them with `build: pip install …`"
    elif name == "PATH" and not _HOST_PATH.search(text):
        consequence = "it takes the place of the host's, so that commands such as `python3` are not found any more"
        mend = f"write `PATH: {text}:$PATH`" if text else "remove it"
    elif name in _JAVA and _AGENT.search(text):
        consequence = "every Java machine that the node starts loads that code first"
    elif name.startswith(_MACOS_LOADER):
        consequence = "the loader of macOS obeys it, in every program that the node starts"
    if consequence is not None:
        sink.warning("DF116", f"`{name}` is not the node's alone: {consequence}", entry.key.span, help=mend)
