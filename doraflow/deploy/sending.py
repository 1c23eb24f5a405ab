"""The program that is run on a host: the modules of `doraflow.deploy.remote`, packed, and the line that starts them.

The line is one constant for every host and stands between single quotes, so that it means the same to every login
shell. It takes the packed modules from standard input into memory and imports them from there: nothing is written to
the host's disk, and nothing has to be installed on it.
"""

from __future__ import annotations

import io
import zipfile
from importlib import resources
from shlex import quote

LEAST_PYTHON = (3, 11)
TOO_OLD = "doraflow: this is Python"

_PACKAGES = ("doraflow", "doraflow.analysis", "doraflow.deploy", "doraflow.deploy.remote", "doraflow.targeting")
_MODULES = (
    "doraflow.analysis.command_line",
    "doraflow.targeting.names",
    *(
        f"doraflow.deploy.remote.{name}"
        for name in (
            "commands",
            "copying",
            "errors",
            "keys",
            "place",
            "runs",
            "serving",
            "streams",
            "switching",
            "units",
        )
    ),
)
_BOOT = (
    "import os,sys;"
    f'sys.version_info>={LEAST_PYTHON} or sys.exit("{TOO_OLD} %d.%d"%sys.version_info[:2]);'
    'sys.dont_write_bytecode=True;i=open(0,"rb",closefd=False);n=int(i.readline());f=os.memfd_create("doraflow");'
    'open(f,"wb",closefd=False).write(i.read(n));sys.path.insert(0,"/proc/self/fd/%d"%f);'
    "from doraflow.deploy.remote.serving import serve;serve()"
)


def command(python: str) -> str:
    """Write the command for the host's login shell; `python` is the name or path of its Python."""
    return f"{quote(python)} -I -c '{_BOOT}'"


def program() -> bytes:
    """Pack the modules, with their length before them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in _PACKAGES:
            archive.writestr(f"{package.replace('.', '/')}/__init__.py", "")
        for module in _MODULES:
            package, _, name = module.rpartition(".")
            archive.writestr(
                f"{module.replace('.', '/')}.py", resources.files(package).joinpath(f"{name}.py").read_bytes()
            )
    return b"%d\n%s" % (len(packed.getvalue()), packed.getvalue())
