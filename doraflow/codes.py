"""The table of diagnostic codes: the one place where a code gets its meaning.

A code never changes its meaning and is never used again. Ranges follow the pipeline: 0xx text and YAML, 1xx keys and
values, 2xx names and references, 3xx types, 4xx loops and queues, 5xx placement, 6xx sources and build steps,
7xx the bundle, 8xx launching (raised by the runtime), 9xx parts of the language that this version cannot carry out.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPELLING = re.compile(r"(?:DF)?0*([0-9]{1,3})", re.IGNORECASE)

CODES: Mapping[str, str] = MappingProxyType(
    {
        # text and YAML
        "DF001": "the file cannot be read",
        "DF002": "the file is not UTF-8",
        "DF003": "the file is too large",
        "DF004": "YAML syntax",
        "DF005": "a tab in the indentation",
        "DF006": "more than one YAML document",
        "DF007": "a key stands twice in one mapping",
        "DF008": "a tag that makes objects",
        "DF009": "aliases expand without bound",
        "DF010": "nested too deeply",
        "DF011": "the file is empty",
        "DF012": "the top level is not a mapping",
        "DF013": "a scalar that YAML 1.1 and 1.2 read differently",
        "DF014": "an ignore comment that ignores nothing",
        "DF015": "an ignore comment for an error that cannot be ignored",
        "DF016": "a malformed ignore comment",
        # settings
        "DF020": "a settings file that cannot be read",
        "DF021": "an unknown setting",
        "DF022": "a setting of the wrong kind",
        "DF023": "a severity for an unknown code",
        "DF024": "an unknown severity",
        "DF025": "an error that cannot be made less grave",
        # keys and values
        "DF101": "unknown key",
        "DF102": "a required key is missing",
        "DF103": "a value of the wrong kind",
        "DF104": "a number out of range",
        "DF105": "an illegal identifier",
        "DF106": "a malformed input source",
        "DF107": "a malformed timer",
        "DF108": "a malformed queue setting",
        "DF109": "keys that exclude one another",
        "DF110": "a node or operator without an implementation",
        "DF111": "a git source pinned twice, or pinned without `git`",
        "DF112": "a value that is none of the allowed words",
        "DF113": "a deprecated spelling",
        "DF114": "an environment name that is reserved or malformed",
        "DF115": "quotes that are not balanced",
        "DF116": "an environment name that loaders obey",
        "DF117": "a secret in the file",
        "DF120": "a module file is missing or malformed",
        "DF121": "a module's port is not connected, or does not exist",
        "DF122": "a module parameter is missing or unknown",
        "DF123": "an unknown profile",
        "DF124": "a profile that does not fit its dataflow",
        "DF125": "a malformed range of ports",
        "DF126": "an option of another transport",
        "DF127": "a malformed reference to a package of the hub",
        "DF128": "a malformed name or type of ROS 2",
        "DF129": "a bridge to ROS 2 without a port that it needs",
        "DF130": "a dataflow of another tool",
        "DF131": "a file that cannot be rewritten without changing what it means",
        "DF145": "a dataflow without nodes",
        "DF146": "a node inside a module that reads past its inputs",
        # names and references
        "DF201": "two nodes with one id",
        "DF202": "an output listed twice",
        "DF203": "an unknown node",
        "DF204": "an unknown output",
        "DF205": "an unknown operator",
        "DF206": "a setting for a port that is not declared",
        "DF207": "an output that nothing reads",
        "DF208": "a node that can never receive anything",
        # types
        "DF301": "an unknown type",
        "DF302": "types that do not fit",
        "DF303": "a malformed type name",
        "DF304": "an output without a type, under `strict_types`",
        "DF305": "a type file that cannot be used",
        "DF306": "a parameter that the type does not have",
        "DF307": "a pattern without the ports that it needs",
        "DF308": "a node's manifest that cannot be used",
        "DF309": "a node that is not connected as its manifest says",
        # loops and queues
        "DF401": "a loop that nothing starts",
        "DF402": "a loop of blocking queues",
        "DF403": "a node that reads its own output",
        "DF404": "a dataflow without a source",
        "DF405": "a queue setting without effect",
        "DF406": "a loop of servers that nobody asks",
        "DF407": "a queue too short for the rates around it",
        "DF408": "a timeout shorter than the time between messages",
        "DF409": "a node with more connections than files it may open",
        "DF410": "an output with very many readers",
        "DF411": "a node with very many inputs",
        # placement
        "DF501": "an unknown machine",
        "DF502": "a malformed host inventory",
        "DF503": "more memory than a machine has",
        "DF504": "nodes bound to one processor core",
        "DF505": "a processor core that a machine has not",
        "DF506": "a binding to no processor core",
        "DF510": "a malformed address of a machine",
        "DF511": "a malformed SSH destination",
        "DF512": "two machines with one address",
        "DF513": "a malformed label of a machine",
        "DF514": "no machine carries the labels",
        "DF515": "no machine has room for a node",
        # sources and build steps
        "DF601": "a source file is missing",
        "DF602": "a source outside the project",
        "DF603": "shell syntax where no shell reads it",
        "DF604": "a build command failed",
        "DF605": "a build command cannot be started",
        # the bundle
        "DF701": "the output folder cannot be written",
        "DF702": "the bundle is not up to date",
        "DF703": "the output folder holds files of someone else",
        # launching
        "DF801": "a node cannot be executed",
        "DF802": "a node failed",
        "DF803": "a node did not become ready",
        "DF804": "a bundle that is not as it was built",
        "DF805": "a bundle that this runtime cannot launch",
        "DF806": "a folder that the run needs cannot be used",
        # links between hosts
        "DF520": "zenoh is not installed",
        "DF521": "a configuration of zenoh that cannot be read",
        "DF522": "a malformed endpoint of zenoh",
        "DF523": "a client of zenoh without a router",
        "DF524": "links over zenoh that anyone may read",
        "DF525": "encrypted links over zenoh without certificates",
        "DF830": "too few ports for the nodes of a host",
        "DF831": "a host that nobody can find",
        "DF832": "a port that is taken",
        "DF833": "a dataflow of several hosts run on one",
        # operating a run
        "DF840": "no run of that name",
        "DF841": "a name that several runs have",
        "DF842": "a run that does not answer",
        "DF843": "a request that a run refuses",
        "DF844": "a run without a control socket",
        "DF845": "a run that neither started nor failed in time",
        "DF846": "a run that did not end in time",
        "DF847": "a name of a run that is taken",
        "DF848": "settings of `top` that cannot be used",
        "DF849": "an output that cannot be looked at",
        # logs
        "DF850": "a log for an output that the node does not have",
        "DF851": "a log setting without effect",
        # links between hosts, and who may use them
        "DF852": "keys that cannot be used",
        "DF853": "links between hosts that anyone may use",
        "DF854": "a bundle that nobody who is trusted has signed",
        "DF855": "a key that cannot sign",
        # deploy targets
        "DF861": "an unknown target",
        "DF862": "a target that cannot be used",
        "DF863": "two hosts whose names an engine cannot tell apart",
        "DF864": "a host without bounds",
        "DF865": "a label that a cluster cannot select by",
        "DF866": "a node that cannot be put into an image",
        "DF867": "a build step whose results stay behind",
        # deploying
        "DF870": "a host that nothing can be deployed to",
        "DF871": "a host that cannot be reached",
        "DF872": "a host key that is not the known one",
        "DF873": "a host that refuses the login",
        "DF874": "a host without a fitting Python",
        "DF875": "a folder of a host that cannot be used",
        "DF876": "a deployed version that is not there, or not whole",
        "DF877": "a host whose clock is wrong",
        "DF878": "a command on a host that failed",
        "DF879": "a run on a host that did not start or end",
        # the launchers of several hosts
        "DF880": "a host that did not come",
        "DF881": "a host that runs another build",
        "DF882": "a dataflow that another host has stopped",
        "DF883": "a node that failed on another host",
        "DF884": "launchers that cannot be linked",
        "DF889": "a dataflow that a unit of systemd runs",
        # the lock file, and dataflows beside one another
        "DF890": "a lock file that cannot be used",
        "DF891": "a lock that is out of date",
        "DF892": "a placement that no lock pins",
        "DF893": "a pinned node that moves",
        "DF894": "a pinned machine that there is not",
        "DF895": "a lock that cannot be written",
        "DF896": "two dataflows that use one port of a host",
        "DF897": "a node that the lock lacks",
        # parts of the language that this version cannot carry out
        "DF901": "a key without effect in this version",
        "DF902": "a node that this version cannot run",
    }
)


def code_of(text: str) -> str | None:
    """Read a code as people spell it, with or without `DF` and leading zeros; None if there is no such code.

    >>> code_of("DF0204"), code_of("df13"), code_of("204"), code_of("DF999")
    ('DF204', 'DF013', 'DF204', None)
    """
    match = _SPELLING.fullmatch(text.strip())
    code = f"DF{match[1]:0>3}" if match else ""
    return code if code in CODES else None


def nearest_codes(text: str, most: int = 3) -> list[str]:
    """List the codes whose numbers are nearest to a misspelt one, nearest first; none if it has no number.

    >>> nearest_codes("DF208", 2)
    ['DF207', 'DF206']
    """
    digits = re.sub(r"[^0-9]", "", text)
    if not digits:
        return []
    return sorted(CODES, key=lambda code: abs(int(code[2:]) - int(digits[-4:])))[:most]
