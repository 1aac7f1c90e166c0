"""What a run survives: kills, damaged and strangers' files, wild studies, other users, requests to stop.

    python benchmarks/faults.py [--minutes 10] [--seed 0] [part ...]

Parts: ``strangers``, ``stopping``, ``killed-workers``, ``killed-drivers``, ``files``, ``texts``, ``studies``. All that
is drawn follows from the seed; the time is divided among the parts, each ends with what it has done by then. Prints a
line for each, then one JSON object; exit code 1 if anything was lost or wrong, hung or died. `faults.md` has figures.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import ehbilayer
from ehbilayer import cli
from ehbilayer.numerics import memory
from ehbilayer.results.base import Result
from ehbilayer.run import runner
from ehbilayer.studies.file import load_study, make_study
from ehbilayer.sweep.engines import DaskEngine

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

import fuzzed  # noqa: E402  damaged files of every kind
import legal_studies  # noqa: E402  studies anywhere in the documented ranges
import stopping  # noqa: E402

HANG = 120  # seconds that no command on a small file may take
MARK = "EHB_FAULTS"  # in the environment of all processes that are started here
SWEEP = """kind = "crystal"
density = {electrons_per_hole = 2}
crystal = {structure = "honeycomb"}
[sweep]
"density.a_over_d" = {start = 1.5, stop = 9.0, count = 60}
"""
SINGLE = """kind = "crystal"
density = {electrons_per_hole = 2, a_over_d = 3.0}
crystal = {starts = 12, holes_per_cell = 4}
"""
WALK = """kind = "monte-carlo"
bilayer = {electron_mass = 1.0, hole_mass = 1.0, spacing = 1}
density = {hole = 0.0025, electrons_per_hole = 1}
cell = {holes = 1}
hartree-fock = {electron_spin = "polarized"}
monte-carlo = {target_error = 5e-4, walkers = 40, samples = 400}
"""
FAKE_AXES = ('"density.rs_hole" = {start = 0.1, stop = 9.1, count = 46}\n'
             '"bilayer.spacing" = {start = 0.5, stop = 1.5, count = 11}')
Count = Counter[str]
Part = Callable[[Path, float, int], Count]


def command(*words: str) -> list[str]:
    """The command line of this very package."""
    return [sys.executable, "-m", "ehbilayer", *words]


def environment(temporary: Path) -> dict[str, str]:
    """One thread, a place of its own for temporary files, and the mark."""
    temporary.mkdir(exist_ok=True)
    path = os.pathsep.join([str(Path(ehbilayer.__file__).parents[1]), str(HERE.parent / "tests")])
    return os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TMPDIR": str(temporary), MARK: str(os.getpid())}


def family() -> list[int]:
    """Processes with the mark, this one left out: those started here that live, wherever they hang now."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if f"{MARK}={os.getpid()}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid() and _state(pid) not in "Z"]


def _state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


def leftovers(*places: Path) -> list[str]:
    """Temporary files and directories that are left, and processes that outlive their run."""
    names = [str(p) for place in places for p in place.rglob("*") if p.name.startswith((".", "ehbilayer-", "tmp"))
             and p.name != ".ehbilayer.lock" and not p.name.endswith(".lock")]
    return names + [f"process {pid}" for pid in family()]


def same(one: Path, other: Path) -> bool:
    """Whether two results have the same numbers, bit by bit, but for the time they took."""
    a, b = Result.load(one / "result.nc"), Result.load(other / "result.nc")
    return a.status is b.status and set(a.data) == set(b.data) and all(
        np.array_equal(a.data[k].values, b.data[k].values, equal_nan=a.data[k].values.dtype.kind == "f")
        for k in a.data if k != "wall_seconds")


def killed_workers(work: Path, end: float, seed: int) -> Count:
    """The command is killed, driver or a worker, behind a number of points; at last the result is that of a run
    without kills. Single studies are killed anywhere and resumed."""
    rng, counts, env = random.Random(seed), Counter[str](), environment(work / "tmp")
    for name, text in (("sweep", SWEEP), ("single", SINGLE), ("walk", WALK)):
        (work / f"{name}.toml").write_text(text)
        words = command("run", str(work / f"{name}.toml"), "-o", str(work / name), "--quiet")
        subprocess.run(words, check=True, env=env)
    number = 0
    while time.monotonic() < end:
        number += 1
        name = rng.choice(("sweep", "sweep", "single", "walk"))
        place = work / f"{name}-{number}"
        for _ in range(4):
            counts["kills"] += _killed(work / f"{name}.toml", place, rng, env, counts)
        done = subprocess.run(command("run", str(work / f"{name}.toml"), "-o", str(place), "--resume", "--quiet"),
                              env=env, capture_output=True, text=True, timeout=20 * HANG)
        counts["runs"] += 1
        counts["lost or wrong"] += done.returncode != 0 or not same(place, work / name)
        counts["tracebacks"] += "Traceback" in done.stderr
        left = leftovers(place, work / "tmp")
        counts["leftovers"] += len(left)
        print(*left, sep="\n", end="", file=sys.stderr)
    return counts


def _killed(study: Path, place: Path, rng: random.Random, env: dict[str, str], counts: Count) -> int:
    """Start the command and kill it or one of its workers when some more points are there; 1 if it was alive."""
    points = place / "points"

    def there() -> set[str]:
        return {p.name for p in points.glob("*.converged.nc")} if points.is_dir() else set()

    workers = study.stem == "sweep" and rng.random() < 0.5
    before, more = there(), rng.randrange(0, 15)
    with subprocess.Popen(command("run", str(study), "-o", str(place), "--resume", "--quiet",
                                  *(["--workers", "2"] if workers else [])), env=env, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        began, patience = time.monotonic(), rng.uniform(0, 6)
        while process.poll() is None and len(there()) < len(before) + more and (
                study.stem == "sweep" or time.monotonic() - began < patience):
            time.sleep(0.002)
        others = [pid for pid in family() if pid != process.pid and workers]
        victim = rng.choice(others) if others and rng.random() < 0.5 else process.pid
        alive = process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        counts["of them workers"] += alive and victim != process.pid
        process.wait(20 * HANG)
    counts["lost or wrong"] += not before <= there()
    deadline = time.monotonic() + HANG
    while family() and time.monotonic() < deadline:  # workers notice that their driver is gone
        time.sleep(0.05)
    counts["hangs"] += bool(family())
    return int(alive)


def killed_drivers(work: Path, end: float, seed: int) -> Count:
    """Forty kills of a sweep behind a number of executed lines of Python, anywhere in the run; again and again."""
    import fake_points

    counts, env, number = Counter[str](), environment(work / "tmp") | {"EHB_FAKE_LOG": str(work / "log")}, 0
    (work / "map.toml").write_text(fake_points.study_text(FAKE_AXES))
    while time.monotonic() < end:
        number, log = number + 1, work / "log"
        log.unlink(missing_ok=True)
        place = work / f"map-{number}"
        subprocess.run([sys.executable, str(HERE.parent / "tests" / "fake_points.py"), "kill", str(work / "map.toml"),
                        str(place), "40", str(1000 * seed + number)], env=env, check=True)
        there: set[str] = set()
        begun, finished = set[str](), set[str]()
        for line in log.read_text().splitlines():
            words = line.split()
            if words[0] == "run":
                finished, begun, there = there, set(), set()
            elif words[0] == "killed":
                counts["kills"] += 1
                counts["lost or wrong"] += bool(begun & finished) + (len(begun) > int(words[1]) - len(finished) + 1)
            elif words[0] == "there":
                there.add(line.removeprefix("there "))
            else:
                begun.add(line)
        done = subprocess.run([sys.executable, str(HERE.parent / "tests" / "fake_points.py"), "run",
                               str(work / "map.toml"), "-o", str(place), "--quiet"], env=env, capture_output=True)
        counts["runs"] += 1
        counts["lost or wrong"] += done.returncode != 0
        counts["leftovers"] += len(leftovers(place, work / "tmp"))
    return counts


@contextlib.contextmanager
def alarm() -> Iterator[None]:
    """TimeoutError in what hangs."""
    def ring(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tried(counts: Count, about: str, *words: str) -> int:
    """The exit code of a command in this process, counted; what it must not do is told and counted."""
    out, err, code = io.StringIO(), io.StringIO(), -1
    try:
        with alarm(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.execute(list(words))
    except TimeoutError:
        counts["hangs"] += 1
    except BaseException:
        err.write(traceback.format_exc())
    said = [line for line in err.getvalue().splitlines() if not line.startswith("warning: ")]
    counts["commands"] += 1
    counts[f"exit code {code}"] += 1
    wrong = code not in (0, 2, 3) or len(said) > 1 or "\x1b" in out.getvalue() + err.getvalue()
    counts["tracebacks"] += "Traceback" in err.getvalue() or "unexpected" in err.getvalue()
    counts["lost or wrong"] += wrong
    if wrong:
        print(f"!! {about}: {words}: {code}: {' | '.join(said[-3:])}", file=sys.stderr)
    return code


def files(work: Path, end: float, seed: int) -> Count:
    """Results of every kind, damaged and sealed again: shown, drawn, found in a directory, started from."""
    counts, contents, number = Counter[str](), fuzzed.contents(), 0
    runner.draw = lambda result, place: None
    study = make_study({"kind": "liquid", **fuzzed.STUDIES["liquid"]})
    (work / "liquid.toml").write_text("\n".join(stopping._toml({"kind": "liquid", **fuzzed.STUDIES["liquid"]})))
    ehbilayer.run(study, work / "liquid")
    start = {"kind": "hartree-fock", **fuzzed.PAIRS, "cell": fuzzed.BOX | {"symmetry": "crystal"},
             "hartree-fock": {"stability": "none", "start": "start.nc"}}
    (work / "start.toml").write_text("\n".join(stopping._toml(start)))
    while time.monotonic() < end:
        number += 1
        rng = random.Random(f"{seed} {number}")
        kind = rng.choice(list(contents))
        raw = fuzzed.spoilt_file(contents[kind], rng)
        counts["files"] += 1
        (work / "a.nc").write_bytes(raw)
        tried(counts, f"{kind} {number}", "show", str(work / "a.nc"), *rng.choice(([], ["--json"])))
        if number % 10 == 0:
            tried(counts, f"{kind} {number}", "plot", str(work / "a.nc"), "-o", str(work / "a.png"))
        if kind == "liquid":
            (work / "liquid" / "result.nc").write_bytes(raw)
            tried(counts, f"{kind} {number}", "run", str(work / "liquid.toml"), "-o", str(work / "liquid"), "--quiet")
            for aside in (work / "liquid").glob("*.corrupt*"):
                aside.unlink()
        if kind == "hartree-fock":
            (work / "start.nc").write_bytes(raw)
            tried(counts, f"{kind} {number}", "run", str(work / "start.toml"), "-o", str(work / "from"), "--quiet",
                  "--force")
    return counts


def texts(work: Path, end: float, seed: int) -> Count:
    """Points, sweep.json and summary.json of a sweep, and study files, with entries and bytes changed."""
    counts, number = Counter[str](), 0
    runner.draw = lambda result, place: None
    tables = {"kind": "sweep", **fuzzed.STUDIES["sweep"]}
    place, study = work / "sweep", work / "sweep.toml"
    study.write_text("\n".join(stopping._toml(tables)))
    ehbilayer.run(load_study(study), place)
    whole = {name: (place / name).read_bytes() for name in ("sweep.json", "summary.json", "result.nc")}
    points = {path: path.read_bytes() for path in (place / "points").glob("*.nc")}
    while time.monotonic() < end:
        number += 1
        rng = random.Random(f"{seed} {number}")
        what = rng.choice(("sweep.json", "summary.json", "point", "study"))
        counts[what] += 1
        if what == "study":
            (work / "b.toml").write_bytes(scratched(study.read_bytes(), rng, rng.randrange(1, 6)))
            tried(counts, f"{what} {number}", "run", str(work / "b.toml"), "-o", str(work / "b"), "--quiet", "--force",
                  "--max-time", "5s")
            continue
        if what == "point":
            path = rng.choice(list(points))
            path.write_bytes(fuzzed.spoilt_file(points[path], rng))
            (place / "result.nc").unlink(missing_ok=True)
        else:
            text = json.dumps(fuzzed.spoilt(json.loads(whole[what]), rng)).encode()
            (place / what).write_bytes(scratched(text, rng, 1) if rng.random() < 0.3 else text)
            if rng.random() < 0.7:
                (place / "result.nc").unlink(missing_ok=True)
        for words in (["status", str(place)], ["show", str(place)], ["run", str(study), "-o", str(place), "--quiet"]):
            tried(counts, f"{what} {number}", *words)
        for path in (place / "points").glob("*"):
            path.unlink()
        for path, raw in [*points.items(), *((place / name, raw) for name, raw in whole.items())]:
            path.write_bytes(raw)
        for aside in place.glob("*.corrupt*"):
            aside.unlink()
    return counts


def scratched(raw: bytes, rng: random.Random, times: int) -> bytes:
    """Some bytes changed, doubled or gone."""
    text = bytearray(raw)
    for _ in range(times):
        i = rng.randrange(len(text))
        text[i:i + rng.choice((0, 1, 1, 9))] = rng.choice((b"", bytes([rng.randrange(256)]), bytes(text[i:i + 7])))
    return bytes(text)


def studies(work: Path, end: float, seed: int) -> Count:
    """Studies anywhere in the documented ranges of all keys, saved, read and drawn."""
    counts, kinds, number = Counter[str](), list(legal_studies.BASES), 0
    while time.monotonic() < end:
        number += 1
        drawn = legal_studies.study(np.random.default_rng([seed, number]), kinds[number % len(kinds)])
        counts["studies"] += 1
        try:
            code = legal_studies.outcome(drawn, work if number % 5 == 0 else None)
            counts[f"exit code {code}"] += 1
        except Exception as error:
            counts["tracebacks"] += 1
            print(f"!! {json.dumps(drawn)}: {type(error).__name__}: {error}", file=sys.stderr)
    return counts


def strangers(work: Path, end: float, seed: int) -> Count:
    """Another user of the machine (where there can be one) and this one, without keys, at all ports of two workers."""
    import psutil

    def ports() -> set[int]:
        mine = [psutil.Process(), *psutil.Process().children(recursive=True)]
        return {c.laddr.port for p in mine for c in p.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN}

    counts, before = Counter[str](), ports()
    with DaskEngine(2):
        opened = sorted(ports() - before)
        for user in ["-", *(["65534"] if os.getuid() == 0 else [])]:
            done = subprocess.run([sys.executable, str(HERE.parent / "tests" / "knocker.py"), user, *map(str, opened)],
                                  capture_output=True, text=True, check=True, timeout=10 * HANG)
            counts["tries"] += len(opened)
            counts["of them another user's"] += len(opened) if user != "-" else 0
            counts["lost or wrong"] += len(done.stdout.split())
    return counts


def ended(work: Path, end: float, seed: int) -> Count:
    """Seconds from SIGTERM to the end of the command, studies of all kinds far too large to finish."""
    counts, worst = Counter[str](), (0.0, "")
    names = list(stopping.LARGE)
    random.Random(seed).shuffle(names)
    for name in names:
        for word in ("preparing", "computing"):
            took, code, errors = stopping.seconds(stopping.LARGE[name], word)
            counts["commands"] += 1
            counts["in a long step"] += "takes too long" in errors
            counts["lost or wrong"] += code != cli.EXIT_INTERRUPTED
            worst = max(worst, (took, f"{name}, {word}"))
    counts[f"worst {worst[0]:.1f} s, {worst[1]}"] = 1
    return counts


# name -> part, share of the time; strangers and stopping take what they take
PARTS: dict[str, tuple[Part, float]] = {
    "strangers": (strangers, 0.0), "stopping": (ended, 0.0), "killed-workers": (killed_workers, 0.3),
    "killed-drivers": (killed_drivers, 0.15), "files": (files, 0.2), "texts": (texts, 0.15), "studies": (studies, 0.2)}


def main() -> int:
    """Run the parts and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began, told = time.monotonic(), dict[str, Any]()
    names = [name for name in PARTS if name in asked.parts or not asked.parts]
    for i, name in enumerate(names):
        part, share = PARTS[name]
        left = max(began + 60 * asked.minutes - time.monotonic(), 20.0)
        whole = sum(PARTS[other][1] for other in names[i:]) or 1.0
        with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as work:
            start = time.monotonic()
            counts = part(Path(work), start + left * share / whole, asked.seed)
        told[name] = {k: n for k, n in counts.items() if n or k in ("lost or wrong", "hangs", "tracebacks")}
        told[name]["seconds"] = round(time.monotonic() - start)
        print(f"{name}: {told[name]}", flush=True)
    free = memory.free_memory()
    told["machine"] = {"cores": os.cpu_count(), "load": [round(x, 1) for x in os.getloadavg()],
                       "free memory, GB": None if free is None else round(free / 1e9, 1)}
    print(json.dumps({"seed": asked.seed, "version": ehbilayer.__version__, **told}, indent=2))
    bad = ("lost or wrong", "hangs", "tracebacks", "leftovers")
    return int(any(told[name].get(key, 0) for name in names for key in bad))


if __name__ == "__main__":
    sys.exit(main())
