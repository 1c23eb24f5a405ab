"""The examples, run as a reader would run them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.commands import doraflow
from tests.ports import held_ports

if TYPE_CHECKING:
    from conftest import World

ROOT = Path(__file__).resolve().parents[2]
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "coins", "motorcycle_left", "rocket")


def surroundings(world: World) -> dict[str, str]:
    return {**world.environment, "XDG_CACHE_HOME": str(world.folder / "cache"), "NO_COLOR": "1"}


def run(world: World, *command: str, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=surroundings(world), capture_output=True, text=True, timeout=timeout, check=False
    )


def example(world: World, name: str) -> Path:
    """Copy an example, so that a test never writes into the checkout."""
    folder = world.folder / name
    shutil.copytree(ROOT / "examples" / name, folder, ignore=shutil.ignore_patterns("pictures", "__pycache__"))
    return folder


def test_hello_says_its_three_lines(world: World) -> None:
    done = run(world, sys.executable, "-m", "doraflow", "run", "dataflow.yml", cwd=example(world, "hello"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "listener | heard: a dataflow is a graph\n"
        "listener | heard: its nodes are processes\n"
        "listener | heard: its edges carry Arrow arrays\n"
    )


def test_two_hosts_show_every_reading(world: World) -> None:
    folder = example(world, "two_hosts")
    keys = {"DORAFLOW_KEYS": str(folder / "keys")}
    world.environment |= keys
    for words in (["build", "dataflow.yml", "--out", "bundle"], ["keys", "make", "dataflow.yml"]):
        done = doraflow(*words, cwd=folder, env=surroundings(world))
        assert done.returncode == 0, done.stderr
    with held_ports() as ports:
        base = ["--port-base", str(ports[0])]
        robot = subprocess.Popen([sys.executable, "bundle/launch_robot.py", *base], cwd=folder, env=world.environment)
        try:
            shown = run(world, sys.executable, "bundle/launch_base.py", *base, cwd=folder)
            assert shown.returncode == 0, shown.stderr
            assert robot.wait(60) == 0
        finally:
            robot.kill()
            robot.wait()
    assert shown.stdout == "".join(f"display | {20 + step / 10:.1f} °C\n" for step in range(20))


def test_quickstart_measures_this_machine(world: World) -> None:
    folder = example(world, "quickstart")
    flow = folder / "dataflow.yml"
    # psutil is in the test environment already: a test that installs would change it under the others
    flow.write_text(re.sub(r"\n    build: .*", "", flow.read_text()).replace("--samples 25", "--samples 5"))
    done = run(world, sys.executable, "-m", "doraflow", "run", "dataflow.yml", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 10
    for line in lines:
        matched = re.fullmatch(r"alarm     \| (cpu   |memory) +(\d+\.\d) %(  ALARM)?", line)
        assert matched, line
        assert 0 <= float(matched[2]) <= 100
    assert any(float(line.split()[3]) > 0 for line in lines if "memory" in line)


def test_large_images_arrive_where_they_were_drawn(world: World) -> None:
    folder = example(world, "large_images")
    flow = folder / "dataflow.yml"
    smaller = flow.read_text().replace(
        "--images 180 --width 3840 --height 2160", "--images 40 --width 1280 --height 720"
    )
    flow.write_text(re.sub(r"\n    build: .*", "", smaller))
    done = run(world, sys.executable, "-m", "doraflow", "run", "dataflow.yml", cwd=folder)
    assert done.returncode == 0, done.stderr
    rate, loaned, copied, ratio, memory = (line.removeprefix("viewer | ") for line in done.stdout.splitlines())
    counted = re.fullmatch(r"(\d+) images of 2\.8 MB, \d+ a second, (\d+) dropped", rate)
    assert counted, rate
    assert 2 <= int(counted[1]) <= 40
    for way, line in (("loaned", loaned), ("copied", copied)):
        assert re.fullmatch(rf"{way}: \d+\.\d\d ms old at the median, \d+\.\d\d ms at most", line), line
    assert re.fullmatch(r"copied to loaned: \d+\.\d to 1", ratio), ratio
    grown = re.fullmatch(r"the viewer's own memory grew by (-?\d+) MiB", memory)
    assert grown, memory
    assert int(grown[1]) < 30, "forty images would be 110 MB"


def virtual_environment(world: World, name: str) -> Path:
    folder = world.folder / name
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    return folder / "bin"


def seen(folder: Path) -> dict[str, int]:
    """Check the pictures and count the detections of each photograph, with the interpreter that has pyarrow."""
    import pyarrow.parquet as pq

    for name in PHOTOGRAPHS:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG"), name
    table = pq.read_table(folder / "detections.parquet")
    assert table.column_names == ["photo", "x", "y", "width", "height", "confidence", "label"]
    counts: dict[str, int] = {}
    for row in table.to_pylist():
        assert 0 < row["confidence"] <= 1
        counts[f"{row['photo']} {row['label']}"] = counts.get(f"{row['photo']} {row['label']}", 0) + 1
    return counts


def test_vision_from_a_clean_checkout_and_its_bundle_without_doraflow(world: World) -> None:
    """The README's first command in a new environment; then the bundle where only its requirements are installed."""
    checkout = world.folder / "checkout"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, checkout / name)
    tools = virtual_environment(world, "with")
    installed = run(world, str(tools / "pip"), "install", "--quiet", ".", cwd=checkout, timeout=600)
    assert installed.returncode == 0, installed.stderr

    flow = "examples/vision/dataflow.yml"
    done = run(world, str(tools / "doraflow"), "run", flow, cwd=checkout, timeout=600)
    assert done.returncode == 0, done.stderr
    pictures = checkout / "examples/vision/pictures"
    assert f"7 pictures and detections.parquet lie in {pictures}" in done.stdout
    found = seen(pictures)
    assert found["astronaut.png face"] == 1
    assert found["chelsea.png cat"] == 1
    assert found["coins.png face"] >= 2

    built = run(world, str(tools / "doraflow"), "build", flow, "-o", "bundle", cwd=checkout, timeout=600)
    assert built.returncode == 0, built.stderr
    bundle = world.folder / "elsewhere"
    (checkout / "bundle").rename(bundle)
    shutil.rmtree(checkout)
    bare = virtual_environment(world, "without")
    needed = run(world, str(bare / "pip"), "install", "--quiet", "-r", "requirements.txt", cwd=bundle, timeout=600)
    assert needed.returncode == 0, needed.stderr
    absent = run(world, str(bare / "python"), "-c", "import doraflow", cwd=world.folder)
    assert "ModuleNotFoundError" in absent.stderr
    launched = run(world, str(bare / "python"), "launch_local.py", cwd=bundle, timeout=300)
    assert launched.returncode == 0, launched.stderr
    assert seen(bundle / "nodes/pictures") == found
    assert not list(bundle.rglob("__pycache__")), "a launch leaves the bundle as it was built"


def test_a_changed_bundle_is_refused(world: World) -> None:
    folder = example(world, "hello")
    built = doraflow("build", "dataflow.yml", "-o", "out", cwd=folder, env=surroundings(world))
    assert built.returncode == 0, built.stderr
    with (folder / "out/nodes/talker.py").open("a") as script:
        script.write("\n# edited\n")
    done = run(world, sys.executable, "launch_local.py", cwd=folder / "out")
    assert done.returncode == 1
    assert "nodes/talker.py" in done.stderr
    assert run(world, sys.executable, "launch_local.py", "--no-verify", cwd=folder / "out").returncode == 0


def test_every_golden_launcher_of_one_host_launches(world: World) -> None:
    """A generated launcher that no test runs is broken sooner or later."""
    golden = sorted((ROOT / "tests/golden").glob("*/dataflow.yml"))
    cases = [path for path in golden if (path.parent / "expected/launch_local.py").is_file()]
    assert cases
    for case in cases:
        out = world.folder / case.parent.name
        built = doraflow("build", str(case), "-o", str(out), "--no-build-steps", env=surroundings(world))
        assert built.returncode == 0, built.stderr
        done = run(world, sys.executable, f"{out}/launch_local.py", cwd=out)
        # the golden nodes join nothing, and operators that are no operators fail: both must be told, not crash
        assert 'Traceback (most recent call last):\n  File "' + str(out / "launch_local.py") not in done.stderr
        assert done.returncode == (1 if case.parent.name == "operators" else 0), done.stderr
    assert world.runs() == []
