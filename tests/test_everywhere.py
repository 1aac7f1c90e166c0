"""What every public entry does with a screened interaction and with one of one's own: what docs/screening.md says.

Calculations are stopped where they begin: a refusal comes before any work, and what is not refused is computed by the
tests of its own method.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
from ehbilayer import Bilayer, InputError, Interaction, Screened, Torus
from ehbilayer.results import calling
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import KINDS
from ehbilayer.studies.task import prepare

PAGE = Path(__file__).parents[1] / "docs" / "screening.md"
SCREENED = Screened(1.0, 2.0, 1.0, 10.0, 8.0, 3.0, 2.0, 0.5)
GATES = Screened(1.0, 2.0, 1.0, 10.0, 8.0)


@dataclass(frozen=True)
class Own(Interaction):
    """Coulomb's, written anew."""

    spacing: float = 1.0
    name = "own"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        safe = np.where(q > 0, q, 1.0)
        return np.where(q > 0, 2 * np.pi * np.exp(-safe * self.distance(a, b)) / safe, 0.0)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return 2 * np.pi, -2 * np.pi * self.distance(a, b)


class BegunError(Exception):
    """A method has been asked for, and nothing refused."""


def pairs(interaction: Interaction, **how: Any) -> Bilayer:
    return Bilayer.of(electron_mass=0.5, hole_mass=1.0, dielectric=5.0, rs_hole=6.0, interaction=interaction, **how)


def box(interaction: Interaction, zero_mode: str = "none") -> Torus:
    return Torus(pairs(interaction), holes=7, zero_mode=zero_mode, electron_spin="polarized")


e = ehbilayer
CALLS: dict[str, Callable[[Interaction], Any]] = {
    "hartree_fock": lambda i: e.hartree_fock(box(i), "crystal", hexagon=3),
    "phases": lambda i: e.phases(box(i), ["liquid", "condensate"], hexagon=3),
    "compressibility": lambda i: e.compressibility(box(i), hexagon=3),
    "liquid": lambda i: e.liquid(pairs(i)),
    "condensate": lambda i: (e.condensate(pairs(i)), e.condensate(box(i), hexagon=3)),
    "few_body": lambda i: e.few_body(pairs(i), "trion-"),
    "critical_spacing": lambda i: e.critical_spacing(pairs(i)),
    "crystal": lambda i: e.crystal(pairs(i), starts=1),
    "phonons": lambda i: e.phonons(pairs(i), "triangular"),
    "thermal": lambda i: e.thermal(pairs(i)),
    "device": lambda i: e.device(pairs(i), holes=4),
    "response": lambda i: e.response(pairs(i)),
    "gates": lambda i: e.gates(pairs(i), gap=1.0, gate_top=10.0, gate_bottom=8.0, bias=0.9),
    "monte_carlo": lambda i: e.monte_carlo(box(i, "madelung"), "liquid", target_error=0.1),
    "correlated_phases": lambda i: e.correlated_phases(box(i, "madelung"), ["liquid", "crystal"], target_error=0.1),
    "pairing": lambda i: e.pairing(pairs(i), alpha=0.3)}
# public names that take no interaction: classes, files, numbers of their own
WITHOUT = {"compare", "run", "run_many", "load", "load_study", "make_study", "size_limit", "atomic_write",
           "bcs_temperature", "eliashberg_tc"}
KIND_OF = {"few-body": "few_body", "hartree-fock": "hartree_fock", "monte-carlo": "monte_carlo",
           "phase-diagram": "phases"}
TABLES: dict[str, dict[str, Any]] = {
    "condensate": {"condensate": {"limit": "thermodynamic"}}, "phonons": {"crystal": {"structure": "triangular"}},
    "pairing": {"pairing": {"alpha": 0.3}}, "gates": {"gates": {"gap": 1.0, "bias": 0.9}},
    "monte-carlo": {"monte-carlo": {"trial": "liquid", "target_error": 0.1}, "cell": {"holes": 7},
                    "hartree-fock": {"electron_spin": "polarized"}}}
BOXES = ("hartree-fock", "phases", "compressibility", "device", "monte-carlo")


def answer(call: Callable[[], Any]) -> str:
    """yes or refused; a refusal is one line that names the interaction or what of it is in the way."""
    try:
        call()
    except BegunError:
        return "yes"
    except InputError as error:
        assert "\n" not in str(error)
        assert re.match(r"(bilayer\.)?interaction|(screening\.)?(sheet_|layer_|gate_)", error.argument), error
        return "refused"
    return "yes"


def begin(*args: Any, **how: Any) -> None:
    raise BegunError


def said() -> dict[str, tuple[str, ...]]:
    """The rows of the page's table: entry -> gates and anisotropy, sheets and thickness, one's own."""
    text = PAGE.read_text(encoding="utf-8").split("## Which method takes it")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (yes|refused) \| (yes|refused) \| (yes|refused)[^|]*\|", text, re.MULTILINE)
    return {name: tuple(rest) for name, *rest in rows}


def test_the_table_holds_every_public_entry() -> None:
    functions = {n for n in e.__all__ if callable(getattr(e, n)) and not isinstance(getattr(e, n), type)}
    assert set(CALLS) == functions - WITHOUT == set(said())
    assert {KIND_OF.get(k.name, k.name) for k in KINDS} <= set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_functions_do_what_the_page_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "call", begin)
    found = tuple(answer(lambda i=i: CALLS[name](i)) for i in (GATES, SCREENED, Own()))
    assert found == said()[name]


@pytest.mark.parametrize("kind", [k.name for k in KINDS if not k.points])
def test_kinds_do_what_the_page_says(kind: str) -> None:
    """A study of each kind, screened: prepared, which is all that comes before the work."""
    bilayer = {"electron_mass": 0.5, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 1.0, "interaction": "screened"}
    screens = ({"gate_top": 10.0, "gate_bottom": 8.0}, {"gate_top": 10.0, "sheet_hole": 3.0, "layer_thickness": 0.5})
    electrons = {"rs_electron": 2.0} if kind == "pairing" else {"rs_hole": 6.0, "electrons_per_hole": 1}
    more = TABLES.get(kind, {})
    found = []
    for screening in screens:
        study = {"kind": kind, "bilayer": bilayer, "density": electrons, "screening": screening,
                 "cell": {"holes": 4, "hexagon": 2, "zero_mode": "none"}} | more
        used = {k: v for k, v in study.items() if k != "cell" or kind in BOXES}
        found.append(answer(lambda s=used: prepare(make_study(s))))
    assert tuple(found) == said()[KIND_OF.get(kind, kind)][:2]
