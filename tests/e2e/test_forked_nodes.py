"""Forked nodes beside exec'ed ones: the same code has the same output, environment and end."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import pytest

CASES = {
    "main module": """
        '''Says who it is.'''
        import sys, os
        print(__name__, __doc__, __file__, __spec__, __package__, __cached__, __builtins__, type(__loader__).__name__)
        print(sorted(name for name in globals()), __annotations__)
        print(sys.argv, sys.orig_argv, os.getcwd())
        print(sys.path)
        print(sys.modules["__main__"].__dict__ is globals())
        """,
    "interpreter": """
        import gc, sys
        print(sys.flags, sys.warnoptions, sys._xoptions, sys.executable, sys.prefix, sys.dont_write_bytecode)
        print(sys.pycache_prefix, sys.excepthook, sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold())
        """,
    "environment": """
        import os, subprocess
        print(*(f"{name}={text}" for name, text in sorted(os.environ.items()) if name != "DORAFLOW_CONFIG"), sep="\\n")
        seen = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout.splitlines()
        print(*sorted(line for line in seen if not line.startswith(("DORAFLOW_CONFIG", "_="))), sep="\\n")
        print(os.environ["PLACE"])
        """,
    "streams": """
        import sys
        print(repr(sys.stdin.read()))
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            print(stream.name, stream.encoding, stream.errors, stream.line_buffering, stream.write_through,
                  type(stream.buffer).__name__, stream.isatty(), stream.seekable(), stream.fileno())
        """,
    "descriptors": """
        import os
        for name in sorted(os.listdir("/proc/self/fd"), key=int):
            try:
                print(name, os.readlink(f"/proc/self/fd/{name}").split(":")[0])
            except FileNotFoundError:
                pass
        """,
    "process": """
        import ctypes, os, resource, signal
        print(os.getsid(0) == os.getpid() == os.getpgid(0), os.getppid(), os.umask(0o22), os.nice(0))
        print([resource.getrlimit(number) for number in range(16)], os.sched_getaffinity(0))
        number = ctypes.c_int()
        ctypes.CDLL(None).prctl(2, ctypes.byref(number), 0, 0, 0)
        print("dies with its parent by", number.value)
        lines = open("/proc/self/status").read().splitlines()
        print(*(line for line in lines if line.startswith(("SigBlk", "SigIgn", "Shd", "Threads", "Cap"))))
        print([(n, signal.getsignal(n)) for n in signal.valid_signals()], signal.pthread_sigmask(0, ()))
        """,
    "threads": """
        import threading, time
        print(threading.main_thread() is threading.current_thread(), threading.active_count())
        print(threading.main_thread().ident == threading.get_ident(), threading.main_thread().name)
        threading.Thread(target=lambda: (time.sleep(0.3), print("after the main thread")), name="late").start()
        """,
    "exit code": "import sys; sys.exit(3)",
    "exit text": "import sys; sys.exit('no lens')",
    "exit nothing": "raise SystemExit",
    "exit code without end": "import sys; sys.exit(2**33 + 5)",
    "exit code below zero": "import sys; sys.exit(-2)",
    "exit handler of the C library": """
        import ctypes
        library = ctypes.CDLL(None)
        library.strdup.restype = ctypes.c_void_p
        text = ctypes.c_void_p(library.strdup(b"said last"))
        getattr(library, "__cxa_atexit")(library.puts, text, None)
        """,
    "exit at once": "import os, sys; sys.stdout.write('no line end'); os._exit(4)",
    "at exit": """
        import atexit, sys
        atexit.register(print, "last words")
        sys.stdout.write("begun ")
        raise LookupError("the lens is gone")
        """,
    "chained exceptions": """
        def inner():
            return {}["key"]
        try:
            inner()
        except KeyError as error:
            raise RuntimeError("outer") from error
        """,
    "destructors": """
        import atexit, json, os, weakref
        class Late:
            def __del__(self):
                print("destroyed", json.dumps([1]))
        late, circle = Late(), Late()
        circle.itself = circle
        weakref.finalize(Late, print, "finalized")
        atexit.register(print, "at exit")
        stream = open(os.dup(1), "w")
        stream.write("written by the end of the interpreter")
        """,
    "destructor that imports": """
        class Late:
            def __del__(self):
                try:
                    import json, csv
                except ImportError as error:
                    print(error)
        late = Late()
        """,
    "syntax error": "print('never')\nx = = 1\n",
    "latin": "# -*- coding: latin-1 -*-\nprint('caf\\u00e9'.encode('utf-8').decode('utf-8'))\n",
    "missing module": "import no_such_module_anywhere",
    "recursion": "import sys\nsys.tracebacklimit = 3\ndef f(): f()\nf()\n",
    "exception group": "raise ExceptionGroup('two', [ValueError(1), TypeError(2)])",
    "own hook": """
        import sys
        sys.excepthook = lambda kind, error, trace: print("hooked", kind, error, trace.tb_lineno, trace.tb_next)
        1 / 0
        """,
    "broken hook": """
        import sys
        def hook(kind, error, trace):
            raise TypeError("in the hook")
        sys.excepthook = hook
        1 / 0
        """,
    "exiting hook": """
        import sys
        sys.excepthook = lambda *_: sys.exit(9)
        1 / 0
        """,
    "last exception": """
        import atexit, sys
        atexit.register(lambda: print(sys.last_type, sys.last_value, sys.last_traceback.tb_lineno))
        1 / 0
        """,
    "interrupt": "raise KeyboardInterrupt",
    "interrupt by signal": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(5)\n",
    "terminated": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "segmentation fault": "import ctypes; ctypes.string_at(0)",
    "abort": "import os; os.abort()",
    "failing thread": """
        import threading
        def fail():
            raise ValueError("in a thread")
        threading.Thread(target=fail, name="other").start()
        """,
    "warning": "import warnings\nwarnings.warn('worn')\nwarnings.warn('old', DeprecationWarning)\n",
    "pipe": """
        import os
        reader, writer = os.pipe()
        os.close(reader)
        try:
            os.write(writer, b"x")
        except OSError as error:
            print(error)
        """,
    "child process": """
        import os, subprocess, sys
        print(subprocess.run([sys.executable, "-c", "import sys; print(sys.argv, sys.path[0])", "x"],
                             capture_output=True, text=True).stdout)
        if os.fork() == 0:
            print("forked")
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.wait()[1]))
        """,
    "multiprocessing": """
        import multiprocessing
        import os

        def double(number):
            return 2 * number, __name__

        if __name__ == "__main__":
            for method in ("fork", "spawn", "forkserver"):
                with multiprocessing.get_context(method).Pool(1) as pool:
                    print(method, pool.map(double, [1, 2]))
        """,
    "processes and queues": """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import shared_memory

        def fill(name, queue, lock):
            memory = shared_memory.SharedMemory(name)
            with lock:
                memory.buf[0] += 1
            memory.close()
            queue.put(multiprocessing.current_process().name)

        if __name__ == "__main__":
            for method in ("fork", "spawn", "forkserver"):
                context = multiprocessing.get_context(method)
                memory, queue, lock = shared_memory.SharedMemory(create=True, size=1), context.Queue(), context.Lock()
                children = [context.Process(target=fill, args=(memory.name, queue, lock), name=n) for n in "ab"]
                for child in children:
                    child.start()
                print(method, sorted(queue.get(timeout=60) for _ in children))
                for child in children:
                    child.join()
                print([child.exitcode for child in children], memory.buf[0])
                memory.close()
                memory.unlink()
                with ProcessPoolExecutor(1, mp_context=context) as pool:
                    print(pool.submit(max, 1, 2).result(60))
        """,
    "pickled main": """
        import pickle
        class Box: pass
        print(type(pickle.loads(pickle.dumps(Box()))) is Box, Box.__module__)
        """,
    "asyncio": """
        import asyncio
        async def main():
            await asyncio.sleep(0.01)
            print(await asyncio.get_running_loop().run_in_executor(None, lambda: "in a thread"))
        asyncio.run(main())
        """,
    "debugger": "print('here')\nbreakpoint()\nprint('never')\n",
    "scripted debugger": """
        import io, pdb, sys

        def inner(number):
            return number + 1

        script = io.StringIO("step\\nstep\\nargs\\np number * 2\\ntbreak 11\\ncontinue\\np total\\ncontinue\\n")
        pdb.Pdb(stdin=script, stdout=sys.stdout, nosigint=True, readrc=False).set_trace()
        total = inner(20)
        print("total", total)
        print("end")
        """,
    "post mortem": """
        import io, pdb, sys
        try:
            {}["key"]
        except KeyError as error:
            debugger = pdb.Pdb(stdin=io.StringIO("p 40 + 2\\nwhere\\nquit\\n"), stdout=sys.stdout, readrc=False)
            debugger.reset()
            debugger.interaction(None, error.__traceback__)
        """,
    "own breakpoint hook": """
        import sys
        sys.breakpointhook = lambda *given, **named: print("hook", given, named, sys._getframe(1).f_lineno)
        breakpoint(1, two=3)
        print(sys.__breakpointhook__ is not sys.breakpointhook)
        """,
    "tracer": """
        import sys, threading
        lines = []
        def trace(frame, kind, argument):
            if frame.f_code.co_filename == __file__:
                lines.append((frame.f_code.co_name, kind, frame.f_lineno))
                return trace
        def work(number):
            return number + 1
        threading.settrace(trace)
        sys.settrace(trace)
        work(1)
        thread = threading.Thread(target=work, args=(2,))
        thread.start()
        thread.join()
        sys.settrace(None)
        print(*sorted(lines), sep="\\n")
        """,
    "profiler": """
        import cProfile, pstats, sys
        def work():
            return sum(range(10))
        profile = cProfile.Profile()
        profile.runcall(work)
        print(sorted(name for _, _, name in pstats.Stats(profile).stats))
        calls = []
        sys.setprofile(lambda frame, kind, argument: calls.append((kind, frame.f_code.co_name)))
        work()
        sys.setprofile(None)
        print(calls)
        """,
    "numpy": """
        import numpy, threading
        square = numpy.ones((300, 300)) @ numpy.ones((300, 300))
        print(square[0, 0], threading.active_count())
        """,
    "arrow threads": """
        import pyarrow as pa, pyarrow.compute
        print(pa.default_memory_pool().backend_name, pa.cpu_count(), pa.io_thread_count())
        table = pa.table({"x": list(range(1000))})
        print(pa.compute.sum(table.group_by("x", use_threads=True).aggregate([]).column("x")))
        """,
}

FAULT = "fault"


@dataclass
class Outcome:
    """What a node has said, and how it has ended."""

    said: list[tuple[object, object]]
    ended: object


@pytest.fixture(scope="module")
def outcomes(shared_world: Any) -> dict[str, Outcome]:
    """Run each case in one launch, by `exec NAME` and `fork NAME`; a twin of that shares its code where that can be."""
    bundle = shared_world.bundle()
    for index, (name, code) in enumerate(CASES.items()):
        text = textwrap.dedent(code)
        for spawn in ("exec", "fork"):
            bundle.node(
                f"{spawn} {name}",
                path=f"case{index}.py",
                spawn=spawn,
                args=("--one", "two words"),
                env={"PLACE": "über", "EMPTY": ""},
            )
        encoding = "latin-1" if name == "latin" else "utf-8"
        place = bundle.source(f"case{index}.py", "")
        place.write_bytes(text.encode(encoding))
    bundle.source("fault.py", "import ctypes, faulthandler; faulthandler.enable(); ctypes.string_at(0)\n")
    bundle.node(FAULT, path="fault.py")
    launch = shared_world.launch(bundle, "--output", "json")
    assert launch.wait(120) == 1
    assert launch.err == ""
    assert not [event for event in launch.events("event") if event["event"] == "cold_start"]
    found = {process.node: Outcome([], None) for process in bundle.processes}
    for line in launch.events("log"):
        found[line["node"]].said.append((line["fields"]["stream"], line["message"]))
    for event in launch.events("event"):
        if event["event"] == "node_ended":
            found[event["node"]].ended = (event["code"], event["ended_well"])
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_forked_node_cannot_tell_the_difference(outcomes: dict[str, Outcome], name: str) -> None:
    forked, executed = outcomes[f"fork {name}"], outcomes[f"exec {name}"]
    ends = forked.ended, executed.ended
    said = [(_of(forked, stream), _of(executed, stream)) for stream in ("stdout", "stderr")]
    del outcomes, forked, executed  # what a failure shows is long enough
    for of_forked, of_executed in said:
        assert of_forked == of_executed
    assert ends[0] == ends[1] is not None


def test_a_fault_is_dumped_with_the_node_s_own_frames_first(outcomes: dict[str, Outcome]) -> None:
    dumped = [str(line) for line in _of(outcomes[FAULT], "stderr")]
    assert outcomes[FAULT].ended == (-11, False)
    assert dumped[0] == "Fatal Python error: Segmentation fault"
    assert [line.rpartition("/")[2] for line in dumped[3:5]] == [
        '__init__.py", line 519 in string_at',
        'fault.py", line 1 in <module>',
    ]


def test_the_cases_do_what_they_are_named_after(outcomes: dict[str, Outcome]) -> None:
    assert {name: outcomes[f"fork {name}"].ended for name in CASES if outcomes[f"fork {name}"].ended != (0, True)} == {
        "exit code": (3, False),
        "exit text": (1, False),
        "exit at once": (4, False),
        "exit code without end": (5, False),
        "exit code below zero": (254, False),
        **dict.fromkeys(("at exit", "chained exceptions", "syntax error"), (1, False)),
        **dict.fromkeys(("missing module", "recursion", "exception group", "own hook"), (1, False)),
        **dict.fromkeys(("broken hook", "last exception", "debugger"), (1, False)),
        "exiting hook": (9, False),
        **dict.fromkeys(("interrupt", "interrupt by signal"), (-2, False)),
        "terminated": (-15, False),
        "killed": (-9, False),
        "segmentation fault": (-11, False),
        "abort": (-6, False),
    }


def _of(outcome: Outcome, stream: str) -> list[object]:
    return [text for where, text in outcome.said if where == stream]
