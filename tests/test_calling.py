"""Methods called from Python: what their result says of the call, and how progress shows itself."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import ehbilayer
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.results import calling
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.torus import Torus
from ehbilayer.units import Scales


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Toy(Result):
    """A result without a number."""


def solving(lines: list[str]) -> Callable[[Hooks], Toy]:
    def solve(hooks: Hooks) -> Toy:
        for text in lines:
            hooks.progress(text)
        return Toy(status=hooks.should_stop() or Status.converged)
    return solve


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second goes by between any two looks at it."""
    now = iter(range(10_000))
    monkeypatch.setattr(calling, "time", SimpleNamespace(monotonic=lambda: float(next(now))))


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A stand-in for the kernel of a notebook: what it shows, one entry for each change."""
    shown: list[str] = []
    package, display = ModuleType("IPython"), ModuleType("IPython.display")
    package.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display.Pretty = str  # type: ignore[attr-defined]

    def begin(text: str, display_id: bool) -> Any:
        shown.append(text)
        return SimpleNamespace(update=shown.append)

    display.display = begin  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


def call(lines: list[str], **how: Any) -> Toy:
    return calling.call(solving(lines), Scales(0.5, 1.0, 4.0), how, seed=3)  # type: ignore[arg-type]


def test_a_notebook_shows_one_line_and_takes_it_away(clock: None, notebook: list[str]) -> None:
    call(["one", "two", "three"])
    assert notebook == ["one", "two", "three", ""]


def test_a_notebook_shows_nothing_of_a_short_calculation(notebook: list[str]) -> None:
    call(["one", "two"])
    assert notebook == []


def test_the_line_goes_with_an_error(clock: None, notebook: list[str]) -> None:
    def refuse() -> Status:
        raise InputError("argument", "good", "bad", "mend it")

    with pytest.raises(InputError):
        call(["one"], should_stop=refuse)
    assert notebook == ["one", ""]


def test_progress_that_is_not_wanted(clock: None, notebook: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    call(["one"], progress=False)
    told: list[str] = []
    call(["one", "two"], progress=told.append)
    assert told == ["one", "two"] and notebook == [] and capsys.readouterr().err == ""


def test_a_terminal_is_silent_unless_it_is_asked(clock: None, capsys: pytest.CaptureFixture[str]) -> None:
    call(["one"])
    assert capsys.readouterr().err == ""
    call(["one", "two"], progress=True)
    assert capsys.readouterr().err == "one\ntwo\n"


def test_the_result_says_how_it_was_called(clock: None) -> None:
    found = call([], should_stop=lambda: Status.timeout)
    assert found.status is Status.timeout
    told = found.provenance
    assert (told.seed, told.backend, told.wall_seconds, told.scales) == (3, "numpy", 1.0, Scales(0.5, 1.0, 4.0))
    assert {"ehbilayer", "python", "numpy", "scipy"} <= set(told.versions)
    with pytest.raises(InputError, match=r"backend: must be numpy \| jax"):
        call([], backend="torch")


HOLES = Bilayer.of(rs_hole=8, electrons_per_hole=0)
BOX = Torus(HOLES, holes=4, zero_mode="none")


@pytest.mark.parametrize(("call", "argument"), [
    (lambda: ehbilayer.hartree_fock(HOLES), "torus"), (lambda: ehbilayer.phases("torus"), "torus"),
    (lambda: ehbilayer.compressibility(HOLES), "torus"), (lambda: ehbilayer.condensate(3), "where"),
    (lambda: ehbilayer.few_body(BOX), "bilayer"), (lambda: ehbilayer.critical_spacing(BOX), "bilayer"),
    (lambda: ehbilayer.crystal(BOX), "bilayer"), (lambda: ehbilayer.phonons("honeycomb"), "crystal"),
    (lambda: ehbilayer.pairing(BOX), "bilayer"), (lambda: ehbilayer.device(BOX), "bilayer"),
    (lambda: ehbilayer.liquid(BOX), "bilayer"), (lambda: ehbilayer.thermal(BOX), "bilayer"),
    (lambda: ehbilayer.response(BOX), "bilayer"),
    (lambda: Torus("WSe2", holes=4, zero_mode="none"), "bilayer"),
    (lambda: ehbilayer.run(3), "study"), (lambda: ehbilayer.hartree_fock(BOX, 7), "start"),
    (lambda: Torus(HOLES, holes=4, shape="round", zero_mode="none"), "shape"),
    (lambda: Bilayer.of(rs_hole="8", electrons_per_hole=0), "rs_hole"),
    (lambda: ehbilayer.liquid(HOLES, shwo=True), "shwo")])
def test_arguments_of_another_kind_are_refused_by_name(call: Callable[[], Any], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument


def test_a_density_is_asked_for_where_it_matters() -> None:
    bare = Bilayer.of(spacing=1.0, electron_mass=0.5, hole_mass=1.0)
    dense = Bilayer.of(spacing=1.0, electron_mass=0.5, hole_mass=1.0, rs_hole=8)
    assert bare.carrier("hole").rs == math.inf
    assert ehbilayer.few_body(bare, "exciton").energy == ehbilayer.few_body(dense, "exciton").energy
    calls: list[Callable[[], Any]] = [
        lambda: Torus(bare, holes=4, zero_mode="none"), lambda: ehbilayer.condensate(bare),
        lambda: ehbilayer.liquid(bare), lambda: ehbilayer.thermal(bare), lambda: ehbilayer.response(bare),
        lambda: ehbilayer.crystal(bare, "honeycomb"), lambda: ehbilayer.phonons(bare, "honeycomb"),
        lambda: ehbilayer.device(bare)]
    for call in calls:
        with pytest.raises(InputError, match="density"):
            call()


def test_the_log_hears_of_progress_and_of_how_it_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="ehbilayer")
    calling.call(solving(["one", "two"]), Scales(), {})
    assert [(r.levelname, r.getMessage().split(" after")[0]) for r in caplog.records] == [
        ("DEBUG", "one"), ("DEBUG", "two"), ("INFO", f"{Toy.kind}: converged")]
    caplog.clear()
    calling.call(solving([]), Scales(), {"should_stop": lambda: Status.timeout})
    assert caplog.records[-1].levelname == "WARNING" and "timeout" in caplog.text


def test_a_run_from_python_tells_the_log_and_prints_nothing(caplog: pytest.LogCaptureFixture,
                                                            capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level("INFO", logger="ehbilayer")
    ehbilayer.run({"kind": "liquid", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1.0},
                   "density": {"rs_hole": 2, "electrons_per_hole": 1}})
    assert any("liquid" in r.getMessage() for r in caplog.records) and capfd.readouterr() == ("", "")
