"""A kind of study that costs nothing and fails as it is told to, for tests of sweeps; works in other processes too.

The hole's r_s decides what happens, see `solve`; every point that is begun leaves a line in the file EHB_FAKE_LOG.
"""

import os
import signal
import sys
import time
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Carriers, Result, Variable, entry, number
from ehbilayer.run import runner
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.device import keys as device_keys
from ehbilayer.studies.device import table as device_table
from ehbilayer.studies.file import Study
from ehbilayer.studies.task import Task
from ehbilayer.sweep import worker as sweep_worker
from ehbilayer.units import Scales

KIND = "device"
DIES, NEVER_CONVERGES, OVERFLOWS, RUNS_ON, BREAKS, UNPHYSICAL = 13.0, 14.0, 15.0, 16.0, 17.0, 18.0
SCALES = Scales(hole_mass=0.4, dielectric=5.0)
COMPUTE = sweep_worker.compute_point
LINES_OF_A_POINT = 6000  # of Python that computing and keeping one executes, about


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FakeResult(Result):
    """What a point of the kind says."""

    kind: ClassVar[str] = KIND
    total_energy: float = number("Ha_h", "energy", key="energy")
    gap: Carriers[float] = number("Ha_h", "gap")
    steps: int = entry("steps that were taken")
    many: tuple[float, ...] = number("1", "where it is")
    winner: str = entry("lowest phase")
    margin: float | None = number("Ha_h", "how far the other phase lies above it")
    numerical_error: float | None = number("Ha_h", "error of the margin")
    complex_name: str = entry("a name that files keep for themselves", key="complex")
    trail: float = number("1", "where it came from")


def register() -> None:
    """Make the kind known in this process."""
    parts = {"keys": ("uses", device_keys.uses), "prepare": ("prepare", prepare),
             "table": ("rows", lambda result: [("status", result.status.value)])}
    for name, (function, part) in parts.items():
        module = types.ModuleType(name)
        setattr(module, function, part)
        sys.modules[f"fake_kind.{name}"] = module
    sys.modules["fake_kind.keys"].TABLE = device_keys.TABLE  # type: ignore[attr-defined]
    sys.modules["fake_kind.table"].SWEPT = device_table.SWEPT  # type: ignore[attr-defined]
    sys.modules.setdefault("fake_kind", types.ModuleType("fake_kind"))
    kinds.KINDS = with_fake()


def with_fake() -> tuple[kinds.Kind, ...]:
    """The kinds with the fake one in the place of the one whose name it takes."""
    return (kinds.Kind(KIND, "fake_kind"), *(kind for kind in kinds.KINDS if kind.name != KIND))


class Listener(Reporter):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.plans: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def plan(self, task: Task) -> None:
        self.plans.extend(task.plan)


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the kind known for one test, which draws nothing and does not wait for the disk."""
    monkeypatch.setattr(kinds, "KINDS", kinds.KINDS)  # put back after the test
    register()
    monkeypatch.setattr(runner, "draw", lambda result, place: None)
    monkeypatch.setattr("os.fsync", lambda handle: None)


def compute(job: Any, *rest: Any) -> Any:
    """What a worker in another process does."""
    register()
    return COMPUTE(job, *rest)


def prepare(study: Study) -> Task:
    rs, spacing = study.density.rs_hole, _spacing(study)
    if rs == UNPHYSICAL:
        raise InputError("density.rs_hole", "anything but 18", rs, "choose another")
    if spacing == 5 and rs == 8:
        raise InputError("bilayer.spacing", "compatible with the density", spacing, "choose another")
    return Task(study, SCALES, study.canonical(), {}, (), lambda run: solve(study, run),
                carries=("trail",))


def _spacing(study: Study) -> float:
    return SCALES.to_atomic(study.bilayer.spacing or 0, "length", "bilayer.spacing")


def log(text: str) -> None:
    """One line in one write, which survives being killed."""
    path = os.environ.get("EHB_FAKE_LOG")
    if path:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{text}\n".encode())
        os.close(handle)


def solve(study: Study, run: Hooks) -> Result:
    rs, d = float(study.density.rs_hole or 0), _spacing(study)
    log(f"{rs:g} {d:g}")
    time.sleep(float(os.environ.get("EHB_FAKE_SECONDS", "0")))
    if rs == DIES:
        os.kill(os.getpid(), signal.SIGKILL)
    if rs == OVERFLOWS:
        np.exp(np.float64(1e4))
        raise FloatingPointError("overflow")
    if rs == BREAKS:
        raise KeyError("a bug")
    status = Status.not_converged if rs == NEVER_CONVERGES else Status.converged
    steps = 0 if run.initial is None else int(run.initial.data["steps"].values)
    while rs == RUNS_ON and steps < 20_000:
        steps += 1
        run.progress(f"step {steps}")
        time.sleep(0.005)
        stop = run.should_stop()
        if stop is not None:
            status = stop
            break
    margin = (d - np.sin(rs)) * 0.1  # the boundary is where the spacing is sin r_s
    trail = rs + d if run.neighbour is None else rs + d + run.neighbour.data["trail"].values / 3  # where it came from
    alone = margin > 0 and bool(os.environ.get("EHB_FAKE_ALONE"))  # all candidates ended as the liquid
    return FakeResult(
        status=status, total_energy=-1 / rs - d, gap=Carriers({"electron": None, "hole": 0.5 * d}), steps=steps,
        many=(rs, d), winner="liquid" if margin > 0 else "crystal", margin=None if alone else abs(margin),
        numerical_error=None if alone else 1e-3, complex_name="trion-", trail=float(trail),
        data={"steps": Variable((), np.array(steps), "1"), "line": Variable(("x",), np.array([rs, d]), "a_h"),
              "trail": Variable((), np.array(trail), "1")})


def study_text(axes: str, more: str = "") -> str:
    return f'kind = "{KIND}"\n[bilayer]\nspacing = 1.0\n[density]\nhole = 0.1\n[sweep]\n{axes}\n{more}'


def kill_at_random(study: Path, place: Path, kills: int, seed: int) -> None:
    """Begin the sweep and kill it somewhere in its next few points, again and again; report each time what is there.

    Where is drawn from what the child does, in lines of Python behind the beginning of a point, and not from a clock.
    """
    from ehbilayer.studies.file import load_study
    from ehbilayer.sweep import campaign, definition  # noqa: F401  modules that each child would import anew
    from ehbilayer.sweep import points as sweep_points
    from ehbilayer.sweep.store import PointStore

    register()
    runner.draw, os.fsync = lambda result, place: None, lambda handle: None
    sweep = sweep_points.prepare_sweep(load_study(study))
    names = {p.key: f"{p.values['density.rs_hole']:g} {p.values['bilayer.spacing']:g}" for p in sweep.points}
    sweep_points.prepare_sweep = lambda *_, **__: sweep  # begin at once, with all modules there
    COMPUTE(sweep_worker.Job("", {}, sweep.tables(sweep.points[0].values), "", "."))
    rng, store = np.random.default_rng(seed), PointStore(place)
    for run in range(kills):
        log(f"run {run}")
        points, lines = int(rng.integers(0, 8)), int(rng.integers(1, LINES_OF_A_POINT))
        child = os.fork()
        if not child:
            _die_after(points, lines)
            runner.run(study, place)
            os._exit(0)
        os.waitpid(child, 0)
        labels = store.labels()
        assert not any(store.fault(key, label) for key, label in labels.items())
        log(f"killed {len(labels)}")
        for key in labels:
            log(f"there {names[key]}")


def _die_after(points: int, lines: int) -> None:
    """Kill this process a number of executed lines behind the beginning of its point of this number (0: of the run)."""
    begun, whole = [0], solve

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal lines
        lines -= event == "line"
        if lines < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    def begin() -> None:
        frame = sys._getframe()
        while frame.f_back is not None:  # what runs already, too
            frame = frame.f_back
            frame.f_trace = trace
        sys.settrace(trace)

    def counted(study: Study, run: Hooks) -> Result:
        begun[0] += 1
        if begun[0] == points:
            begin()
        return whole(study, run)

    globals()["solve"] = counted
    if not points:
        begin()


def kill_midway(study: Path, place: Path, kills: int, after: int) -> None:
    """Begin the sweep again and again, and kill it each time in the middle of its point number ``after``."""

    left, whole = [after], solve

    def dies(study: Study, run: Hooks) -> Result:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(study, run)

    register()
    runner.draw, os.fsync = lambda result, place: None, lambda handle: None
    globals()["solve"] = dies
    for _ in range(kills):
        child = os.fork()
        if not child:
            runner.run(study, place)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    if sys.argv[1] == "midway":
        kill_midway(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    elif sys.argv[1] == "kill":
        kill_at_random(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int((sys.argv[5:] or ["1"])[0]))
    else:
        register()
        from ehbilayer import cli
        from ehbilayer.run import watchdog
        from ehbilayer.sweep import engines as sweep_engines

        watchdog.GRACE_SECONDS = 100
        runner.draw = lambda result, place: None
        sweep_engines.compute_point = __import__("fake_points").compute  # known by name to other processes
        cli.main()
