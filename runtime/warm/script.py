"""A node's code run as the main module of this process, as `python script.py` and `python -m module` do it.

The interpreter itself ends the process: SystemExit, threads that still run, `atexit` and the exit code are its affair.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import os
import sys
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.warm.ending import leave_with

if TYPE_CHECKING:
    from types import CodeType

    from doraflow_runtime.warm.request import Request

_MODULE = "-m"


def run(request: Request, compiled: CodeType | None) -> None:
    """Run the code of a node. To be called last of all, from the main module, which is replaced.

    `compiled` is that of its script, if somebody has compiled it already. Raises SystemExit, with the exit code of an
    interpreter whose main module raised the same.
    """
    arguments = list(request.arguments)
    sys.orig_argv[:] = arguments
    # A new module: what was there before the fork is passed over by the garbage collector, also at the end.
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    names = main.__dict__
    names.update({"__builtins__": builtins, "__annotations__": {}})
    code: CodeType | None = None
    raised: BaseException | None = None
    try:
        code = _module(arguments, names) if arguments[1] == _MODULE else _script(arguments, names, compiled)
    except Exception as error:  # noqa: BLE001 - shown below, as the interpreter would
        raised = error.with_traceback(None)
    if code is not None:
        try:
            _Compiled(code).exec_module(main)
        except SystemExit as error:
            leave_with(error.code)
            raise
        except BaseException as error:  # noqa: BLE001 - shown below
            raised = _from_code(error, code)
    if raised is not None:
        _end(raised)
    leave_with(None)


class _Compiled(importlib.machinery.SourceFileLoader):
    """Runs code that is compiled already in a module that is there already; `importlib.abc` costs 10 ms to import."""

    def __init__(self, code: CodeType) -> None:
        super().__init__("__main__", code.co_filename)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        """Give the code, whatever the module is called."""
        del fullname
        return self._code


def _from_code(error: BaseException, code: CodeType) -> BaseException:
    """Let the traceback of an exception begin in `code`, as if nothing had called it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    return error.with_traceback(trace)


def _script(arguments: list[str], names: dict[str, object], compiled: CodeType | None) -> CodeType:
    path = arguments[1]
    sys.argv[:] = arguments[1:]
    _look_first_in(os.path.dirname(os.path.realpath(path)))  # noqa: PTH120 - the interpreter's own rule, on texts
    loader = importlib.machinery.SourceFileLoader("__main__", path)
    names.update({"__file__": path, "__cached__": None, "__loader__": loader, "__package__": None, "__spec__": None})
    if compiled is not None:
        return compiled
    try:
        source = Path(path).read_bytes()
    except OSError as error:
        sys.stderr.write(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n")
        raise SystemExit(2) from None
    return compile(source, path, "exec", dont_inherit=True)


def _module(arguments: list[str], names: dict[str, object]) -> CodeType:
    _look_first_in(os.getcwd())  # noqa: PTH109 - a text
    name = f"{arguments[2]}.__main__"
    spec = importlib.util.find_spec(name)
    loader = spec.loader if spec is not None else None
    if spec is None or not isinstance(loader, importlib.machinery.SourceFileLoader):
        sys.stderr.write(f"{sys.executable}: No module named {name}\n")
        raise SystemExit(1)
    sys.argv[:] = [loader.path, *arguments[3:]]
    names.update({"__file__": loader.path, "__cached__": spec.cached, "__loader__": loader, "__spec__": spec})
    names["__package__"] = spec.parent
    code = loader.get_code(name)
    if code is None:
        raise ImportError(f"{name} has no code")
    return code


def _look_first_in(folder: str) -> None:
    if not sys.flags.safe_path:
        sys.path.insert(0, folder)


def _end(error: BaseException) -> None:
    """Show an exception that nobody caught, and leave as the interpreter does. Raises SystemExit, or `error` itself."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as other:  # noqa: BLE001 - the interpreter shows both
        sys.stderr.write("Error in sys.excepthook:\n")
        traceback.print_exception(other.with_traceback(other.__traceback__ and other.__traceback__.tb_next))
        sys.stderr.write("\nOriginal exception was:\n")
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        sys.excepthook = _silent
        raise error  # the interpreter ends by the signal, so that the parent can tell
    leave_with(1)
    raise SystemExit(1)


def _silent(*_: object) -> None:
    """Show nothing: it was shown already."""
