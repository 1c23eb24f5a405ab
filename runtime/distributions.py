"""Which package brings a Python module: the line to install it with, where a module is missing.

Only names whose package is called otherwise stand here; nothing is looked up on the disk or in a network.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MISSING = re.compile(r"No module named '?([A-Za-z_][\w.]*)'?")
_NOT_A_PACKAGE = re.compile(r"No module named '[\w.]+'; '([\w.]+)' is not a package")
_STUBS = "_stubs"

DISTRIBUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "attr": "attrs",
        "bs4": "beautifulsoup4",
        "capnp": "pycapnp",
        "cv2": "opencv-python",
        "dateutil": "python-dateutil",
        "dotenv": "python-dotenv",
        "faiss": "faiss-cpu",
        "fitz": "pymupdf",
        "git": "gitpython",
        "google.protobuf": "protobuf",
        "grpc": "grpcio",
        "jwt": "pyjwt",
        "llama_cpp": "llama-cpp-python",
        "magic": "python-magic",
        "mpl_toolkits": "matplotlib",
        "OpenGL": "pyopengl",
        "PIL": "pillow",
        "pkg_resources": "setuptools",
        "pylab": "matplotlib",
        "pywt": "pywavelets",
        "rerun": "rerun-sdk",
        "serial": "pyserial",
        "skimage": "scikit-image",
        "sklearn": "scikit-learn",
        "usb": "pyusb",
        "yaml": "pyyaml",
        "zmq": "pyzmq",
    }
)


def distribution_of(module: str) -> str:
    """Name the package that brings a module.

    >>> distribution_of("cv2"), distribution_of("google.protobuf.message"), distribution_of("pyarrow.compute")
    ('opencv-python', 'protobuf', 'pyarrow')
    """
    parts = module.split(".")
    dotted = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((DISTRIBUTIONS[name] for name in dotted if name in DISTRIBUTIONS), parts[0])


def missing_module(line: str) -> str | None:
    """Name the module that a line of Python's says is missing; None if it says something else.

    >>> missing_module("ModuleNotFoundError: No module named 'PIL'")
    'PIL'
    """
    found = _MISSING.search(line)
    return found[1] if found else None


def module_mend(line: str) -> str | None:
    """State how to get the module that a line of Python's says is missing; None if it says something else.

    >>> module_mend("ModuleNotFoundError: No module named 'cv2'")
    'install what provides `cv2` with `pip install opencv-python`'
    """
    shadowed = _NOT_A_PACKAGE.search(line)
    if shadowed:
        return f"another file is called `{shadowed[1]}.py` and hides the package `{shadowed[1]}`: rename it"
    module = missing_module(line)
    if module is None:
        return None
    if module.split(".")[0].endswith(_STUBS):
        name = module.split(".")[0]
        return f"import the stubs of this dataflow: `{name}` is made where its name is `{name.removesuffix(_STUBS)}`"
    return f"install what provides `{module}` with `pip install {distribution_of(module)}`"
