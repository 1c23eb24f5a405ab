"""The one thing that pyproject.toml cannot say yet: how the compiled core is built, and that it may be missing."""

from pathlib import Path

from setuptools import Extension, setup

SOURCES = Path("core")

setup(
    ext_modules=[
        Extension(
            "doraflow_core",
            sorted(str(path) for path in SOURCES.glob("*.c")),
            depends=sorted(str(path) for path in SOURCES.glob("*.h")),
            extra_compile_args=["-std=gnu11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra"],
            optional=True,  # without a compiler doraflow installs all the same, as pure Python
        )
    ]
)
