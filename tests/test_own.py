"""What a user brings: an interaction, a dispersion, a candidate phase, a term of the Hamiltonian, more layers.

The classes are those of the page From Python; here their results are held against what is known.
"""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ehbilayer import Bilayer, Carrier, Coulomb, InputError, Torus, few_body, hartree_fock, phases
from ehbilayer.hamiltonian import STANDARD
from ehbilayer.phases.candidates import Candidate
from systems import named, random_state, small_basis, trions

PAGE = Path(__file__).parents[1] / "docs" / "from-python.md"
N = 1 / (np.pi * 6**2)


def of_page(name: str) -> Any:
    """A class or function that the last part of the page defines, with the imports made there so far."""
    text = PAGE.read_text(encoding="utf-8").partition("## Your own")[2]
    names: dict[str, Any] = {"__name__": "from_python", "InputError": InputError}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        for line in re.findall(r"^(?:from|import) .*$", code, re.MULTILINE):
            exec(line, names)
        definition = re.search(rf"^(?:@.*\n)?(?:class|def) {name}\b.*\n(?:(?: .*)?\n)*", code, re.MULTILINE)
        if definition is not None:
            exec(definition[0], names)
            return names[name]
    raise AssertionError(f"{name} is not on the page")


def pairs(interaction: Any, **how: Any) -> Torus:
    bilayer = Bilayer.of(rs_hole=6, electron_mass=0.5, hole_mass=1.0, interaction=interaction)
    return Torus(bilayer, holes=4, zero_mode="none", electron_spin="polarized", **how)


# an interaction

def test_an_interaction_without_screening_is_coulomb() -> None:
    keldysh = of_page("Keldysh")
    ours, coulomb = (hartree_fock(pairs(v), "crystal", symmetry="crystal", hexagon=5)
                     for v in (keldysh(1.0, 0.0), Coulomb(1.0)))
    assert ours.energy == pytest.approx(coulomb.energy, abs=1e-10)
    assert ours.pressure == pytest.approx(coulomb.pressure, rel=1e-6)  # by a numerical slope


def test_the_pressure_of_an_interaction_is_a_slope_of_the_energy() -> None:
    torus = pairs(of_page("Keldysh")(1.0, 2.0), capacitor=True)

    def energy(area: float) -> float:
        return hartree_fock(torus.scaled(area), "hole-crystal", symmetry="crystal", hexagon=5, stability="none",
                            tolerance=1e-11).energy

    step = 1e-3 * torus.area
    slope = (energy(torus.area + step) - energy(torus.area - step)) / (2 * step)
    found = hartree_fock(torus, "hole-crystal", symmetry="crystal", hexagon=5, stability="none", tolerance=1e-11)
    assert found.pressure == pytest.approx(-slope, rel=1e-5)


def test_the_uniform_energy_of_an_interaction_is_its_exchange_integral() -> None:
    """Polarised holes alone: E_x = -(1/2A) sum_kk' v(k - k') over the occupied waves."""
    v = of_page("Keldysh")(0.0, 1.5)
    torus = Torus(Bilayer.of(rs_hole=2, electrons_per_hole=0, interaction=v), holes=7, zero_mode="none")
    found = hartree_fock(torus, "liquid", keep="translations", hexagon=3)
    six = torus.box.reciprocal[[0, 1]]
    k = np.array([[0, 0], *six, *-six, six[0] + six[1], -six[0] - six[1]])
    if np.linalg.norm(k[5]) > 1.01 * np.linalg.norm(k[1]):
        k[5:] = [six[0] - six[1], six[1] - six[0]]
    q = np.linalg.norm(k[:, None] - k[None], axis=-1)
    assert found.energy_parts["exchange"] == pytest.approx(-v.v(q, 1, 1).sum() / (2 * torus.area), rel=1e-10)


def test_what_needs_more_of_an_interaction_refuses_it_by_name() -> None:
    keldysh = of_page("Keldysh")(1.0, 1.0)
    with pytest.raises(InputError, match=r"keldysh.*Keldysh\.zero_mode"):
        hartree_fock(replace(pairs(keldysh), zero_mode="madelung"), hexagon=4)
    with pytest.raises(InputError, match="keldysh"):
        few_body(Bilayer.of(rs_hole=6, electron_mass=0.5, hole_mass=1.0, interaction=keldysh))


# a dispersion

def liquid_of(dispersion: Any, mass: float = 1.0) -> Any:
    carrier = Carrier("hole", 1, mass, 0, 1 / (np.pi * 2**2), dispersion=dispersion)
    return hartree_fock(Torus(Bilayer((carrier,)), holes=7, zero_mode="madelung"), "liquid", keep="translations",
                        hexagon=3)


def test_a_dirac_band_with_a_large_gap_is_a_parabola() -> None:
    dirac = of_page("dirac")
    far, parabola = liquid_of(partial(dirac, gap=1e7)), liquid_of(None)
    assert far.energy == pytest.approx(parabola.energy, rel=1e-6)
    assert parabola.pressure is not None and far.pressure is None


def test_a_dirac_band_adds_the_levels_of_its_waves() -> None:
    """The liquid's waves are fixed by its symmetry, so that kinetic energies add up wave by wave."""
    dirac, found, parabola = of_page("dirac"), liquid_of(of_page("dirac")), liquid_of(None)
    k = np.linalg.norm(Torus(Bilayer((Carrier("hole", 1, 1.0, 0, 1 / (np.pi * 2**2)),)), holes=7,
                             zero_mode="none").box.reciprocal[0])
    assert found.energy_parts["kinetic"] == pytest.approx(6 * dirac(np.array([k, 0.0])), rel=1e-10)
    assert found.energy_parts["exchange"] == pytest.approx(parabola.energy_parts["exchange"], rel=1e-10)


# a candidate phase

def test_a_candidate_that_repeats_another_ends_like_it() -> None:
    torus = pairs(Coulomb(1.0))
    own = Candidate.of("mine", torus, "hole-crystal", hexagon=5)
    rows = {row.name: row for row in phases(torus, ["hole-crystal", own], hexagon=5).candidates}
    assert rows["mine"].energy == pytest.approx(rows["hole-crystal"].energy, abs=1e-10)
    assert rows["mine"].phase == rows["hole-crystal"].phase


def test_a_candidate_starts_from_any_state() -> None:
    torus = pairs(Coulomb(1.0))
    state = hartree_fock(torus, "crystal", symmetry="crystal", hexagon=5)
    own = Candidate.of("mine", torus, state, hexagon=5)
    verdict = phases(torus, ["liquid", own], hexagon=5)
    row = next(row for row in verdict.candidates if row.name == "mine")
    assert row.energy == pytest.approx(state.energy / 4, abs=1e-9) and row.iterations <= 3


# a term of the Hamiltonian

@pytest.mark.parametrize("symmetry", ["none", "crystal"])
def test_the_energy_of_a_term_grows_by_its_mean(symmetry: str) -> None:
    """Hellmann and Feynman: dE/d(depth) = <V>/depth."""
    moire = of_page("Moire")
    torus = Torus(Bilayer.of(rs_hole=3, electrons_per_hole=0), holes=4, zero_mode="madelung")

    def solved(depth: float) -> Any:
        return hartree_fock(torus, "crystal", symmetry=symmetry, hexagon=5, stability="none", tolerance=1e-12,
                            terms=(*STANDARD, partial(moire, depth=depth)))

    low, middle, high = (solved(0.2 + t) for t in (-1e-3, 0.0, 1e-3))
    assert (high.energy - low.energy) / 2e-3 == pytest.approx(middle.energy_parts["moire"] / 0.2, rel=1e-5)
    assert middle.pressure is None and middle.energy_parts["moire"] < -0.1


def test_levels_and_gaps_hold_the_term() -> None:
    """The free box and its cell, which apply the term in two ways, have the same gap."""
    moire = partial(of_page("Moire"), depth=0.3)
    torus = Torus(Bilayer.of(rs_hole=3, electrons_per_hole=0), holes=4, zero_mode="madelung")
    box, cell = (hartree_fock(torus, "crystal", symmetry=s, hexagon=5, tolerance=1e-10, terms=(*STANDARD, moire))
                 for s in ("none", "crystal"))
    bare = hartree_fock(torus, "crystal", symmetry="crystal", hexagon=5)
    assert box.gap.hole == pytest.approx(cell.gap.hole, abs=1e-7)
    assert cell.gap.hole > bare.gap.hole + 0.05


def test_the_matrix_of_the_term_has_its_energy() -> None:
    system, basis = trions(), small_basis("crystal")
    hamiltonian, frames = random_state(system, basis, terms=(*STANDARD, partial(of_page("Moire"), depth=0.3)))
    term = named(hamiltonian, "moire")
    state = hamiltonian.state(frames)
    matrix = term.operator(state, 1).blocks()
    filling, x = hamiltonian.setting.fillings[1], np.asarray(frames[1])[0]
    mean = sum(f * (vector.conj() @ matrix[block] @ vector).real
               for row, block in enumerate(filling.blocks) for f, vector in zip(filling.f[row], x[row], strict=True))
    assert mean == pytest.approx(float(term.act(state).energy[0]), rel=1e-10)


# three layers

def layers(densities: tuple[float, float, float], order: tuple[int, int, int] = (0, 1, 2), holes: int = 4) -> Torus:
    names, charges = ("electron", "hole", "electron 2"), (-1, 1, -1)
    carriers = tuple(Carrier(name, z, 1.0 if z > 0 else 0.5, layer, n)
                     for name, z, layer, n in zip(names, charges, order, densities, strict=True))
    return Torus(Bilayer(carriers, Coulomb(1.0)), holes=holes, zero_mode="madelung", electron_spin="polarized")


def test_an_empty_third_layer_changes_nothing() -> None:
    three = hartree_fock(layers((N, N, 0.0)), "crystal", symmetry="crystal", hexagon=5)
    two = hartree_fock(replace(pairs(Coulomb(1.0)), zero_mode="madelung"), "crystal", symmetry="crystal", hexagon=5)
    assert three.energy == pytest.approx(two.energy, abs=1e-10)
    assert three.gap.electron_2 is None and three.gap.hole == pytest.approx(two.gap.hole, abs=1e-8)


def test_mirrored_layers_are_alike() -> None:
    up, down = (hartree_fock(layers((N, N, N), order), "crystal", symmetry="crystal", hexagon=6)
                for order in ((0, 1, 2), (2, 1, 0)))
    assert up.energy == pytest.approx(down.energy, abs=1e-10)
    assert up.gap.electron == pytest.approx(up.gap.electron_2, abs=1e-7)
    apart = hartree_fock(layers((N, N, N), (0, 1, 9)), "crystal", symmetry="crystal", hexagon=6)
    assert apart.energy > up.energy + 0.05  # electrons that lie on their holes are bound to them
