"""The condensate of the infinite plane in any interaction: averages over angles, limits, derivatives, one's own."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from ehbilayer import Bilayer, Coulomb, InputError, Interaction, Screened, Torus, condensate, liquid, phases
from ehbilayer.condensate.averages import averages, exact_corrections
from ehbilayer.condensate.mesh import Mesh, angular_kernel
from ehbilayer.condensate.radial import Pairs, find, solve
from ehbilayer.few_body.exciton import solve_exciton
from screened import Yukawa

EVERYTHING = Screened(1.0, 2.0, 1.0, 10.0, 8.0, 3.0, 2.0, 0.5)
TURNED = Screened(1.0, 2.0, 1.0, 8.0, 10.0, 2.0, 3.0, 0.5)  # the same with its layers exchanged


def bilayer(interaction: Interaction, rs: float = 4.0, mass: float = 0.5, temperature: float = 0.0) -> Bilayer:
    return Bilayer.of(electron_mass=mass, hole_mass=1.0, rs_hole=rs, interaction=interaction, temperature=temperature)


def per_pair(interaction: Interaction, tolerance: float = 1e-10, **how: float) -> float:
    return float(condensate(bilayer(interaction, **how), curve_points=0, tolerance=tolerance).energy_per_pair)


def test_weights_of_the_rule_near_a_branch_point() -> None:
    """int e^{-x^2/100}/sqrt(x^2 + b^2) dx by the trapezoidal rule with step 1, for b from far below to above it."""
    from scipy.special import k0e

    b, x = np.array([1e-9, 1e-3, 0.2, 0.49, 0.51, 1.0, 4.0]), np.arange(1, 70)
    exact = k0e(b * b / 200)  # e^{b^2/200} K_0(b^2/200)
    c = exact_corrections(b)
    smooth = np.exp(-np.arange(c.shape[1]) ** 2 / 100.0)
    found = 2 * (np.exp(-x * x / 100.0) / np.hypot(x, b[:, None])).sum(axis=1) + c @ (smooth * ([1] + [2] * 5))
    assert found == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("interaction", [
    Coulomb(1.0), Screened(1.0, gate_top=5.0, gate_bottom=5.0), Screened(1.0, gate_top=300.0, gate_bottom=100.0),
    Screened(1.0, sheet_electron=3.0, sheet_hole=50.0), EVERYTHING])
@pytest.mark.parametrize("mesh", [Mesh(1.0, 60.0, 0.04), Mesh(1.0, 60.0, 0.08, 1.3, 0.05, 1.0)])
def test_averages_of_a_gaussian(interaction: Interaction, mesh: Mesh) -> None:
    """v convolved with exp(-k^2/2): each Gaussian of `heat_kernel` gives a Gaussian; Coulomb by its own kernel."""
    k, slope = mesh.nodes()
    measure = k * slope * mesh.step
    inner = (k > 1e-2) & (k < 8)
    for a, b in ((0, 1), (0, 0), (1, 1)):
        found = averages(interaction, a, b, k, mesh.half())
        assert np.array_equal(found, found.T)
        if isinstance(interaction, Screened):
            kernel = interaction.heat_kernel(a, b)
            width = 1 + 2 * kernel.t
            exact = np.exp(-np.multiply.outer(k * k, kernel.t / width)) @ (kernel.weight / (2 * np.pi * width))
        else:
            exact = angular_kernel(k, slope, mesh.step, interaction.distance(a, b)) @ (measure * np.exp(-k * k / 2))
        assert (found @ (measure * np.exp(-k * k / 2)))[inner] == pytest.approx(exact[inner], abs=2e-9)


def test_limits_are_coulombs() -> None:
    """Nothing that screens: the same lines. Far gates and thin sheets: other lines, the same numbers."""
    exact, charged = per_pair(Coulomb(1.0)), float(condensate(bilayer(Coulomb(1.0)), curve_points=0, tolerance=1e-10,
                                                              capacitor=True).energy_per_pair)
    assert per_pair(Screened(1.0, 3.0, 3.0)) == exact
    assert per_pair(Screened(1.0, 4.0, 1.0)) == per_pair(Coulomb(2.0))
    assert per_pair(Screened(1.0, sheet_hole=1e-14)) == pytest.approx(exact, abs=1e-12)
    assert per_pair(Screened(1.0, gate_top=1e14, gate_bottom=1e14)) == pytest.approx(charged, abs=1e-12)
    assert per_pair(Screened(1.0, gate_top=1e14)) == pytest.approx(charged, abs=1e-12)


@pytest.mark.parametrize("zero_mode", ["none", "madelung"])
def test_a_large_torus_is_the_plane(zero_mode: str) -> None:
    gates = replace(EVERYTHING, gate_top=5.0, gate_bottom=4.0)
    plane, apart = per_pair(gates, rs=8.0, mass=1.0), []
    for holes in (4, 12):
        torus = Torus(bilayer(gates, rs=8.0, mass=1.0), holes, zero_mode=zero_mode, electron_spin="polarized")
        apart.append(abs(condensate(torus, tolerance=1e-7, curve_points=0).energy_per_pair - plane))
    assert apart[1] < 0.1 * apart[0] + 1e-6 and apart[1] < 2e-4


@pytest.mark.parametrize("interaction", [EVERYTHING, Screened(0.0, sheet_hole=5.0), Screened(1.0, gate_bottom=3.0)])
def test_dilute_pairs_are_excitons(interaction: Screened) -> None:
    found = solve(Pairs(bilayer(interaction, rs=3000.0)), tolerance=1e-9)
    lone = solve_exciton(0.5, interaction.spacing, interaction)
    shift = found.chemical_potential_slope * found.density / 2
    assert found.energy_per_pair == pytest.approx(lone.energy + shift, abs=5e-9)
    assert found.pair_size == pytest.approx(np.sqrt(lone.mean_square), rel=1e-3)


def test_derivatives_and_the_normal_state() -> None:
    pairs, step = Pairs(bilayer(EVERYTHING, rs=5.0)), 1e-3
    first = find(pairs, 1e-11)
    ends = [find(pairs.at(pairs.density * (1 + s * step)), 1e-11, first) for s in (-1, 1)]
    energies, potentials = ([f(e.gas)(e.state) for e in ends] for f in (lambda g: g.energy,
                                                                        lambda g: g.chemical_potential))
    wide = 2 * step * pairs.density
    assert first.gas.chemical_potential(first.state) == pytest.approx((energies[1] - energies[0]) / wide, abs=1e-7)
    assert first.gas.slope(first.state) == pytest.approx((potentials[1] - potentials[0]) / wide, rel=1e-4)
    said, uniform = solve(pairs), liquid(pairs.bilayer, spin="polarized")
    assert said.normal_energy_per_pair == pytest.approx(2 * uniform.energy_per_particle, rel=1e-12)
    assert said.inputs["interaction"]["finite_v0"] and said.energy_parts_per_pair.direct > 0


def test_charges_exchanged_are_the_same_state() -> None:
    """Layers of different polarisability change places; so do the least energies of electrons and holes."""
    one, two = (condensate(bilayer(i, mass=1.0), curve_points=0) for i in (EVERYTHING, TURNED))
    assert one.energy_per_pair == pytest.approx(two.energy_per_pair, abs=1e-11)
    gaps = one.quasiparticle_gap, two.quasiparticle_gap
    assert gaps[0].electron == pytest.approx(gaps[1].hole, abs=1e-9)
    assert abs(gaps[0].electron - gaps[0].hole) > 1e-4


def test_at_a_temperature_layers_may_differ() -> None:
    cold, warm = (condensate(bilayer(EVERYTHING, mass=1.0, temperature=t), curve_points=0) for t in (1e-6, 0.01))
    ground = condensate(bilayer(EVERYTHING, mass=1.0), curve_points=0)
    assert cold.free_energy_per_pair == pytest.approx(ground.energy_per_pair, abs=1e-9)
    for name in ("electron", "hole"):
        assert cold.quasiparticle_gap[name] + cold.quasiparticle_gap["hole" if name == "electron" else "electron"] == \
            pytest.approx(ground.pair_breaking_energy, abs=1e-7)
    turned = condensate(bilayer(TURNED, mass=1.0, temperature=0.01), curve_points=0)
    assert turned.free_energy_per_pair == pytest.approx(warm.free_energy_per_pair, abs=1e-9)
    assert warm.free_energy_per_pair < ground.energy_per_pair and warm.gap_closing > 0.01
    near = bilayer(replace(EVERYTHING, gate_top=5.0, gate_bottom=4.0), rs=8.0, mass=1.0, temperature=0.005)
    box = Torus(near, 12, zero_mode="madelung", electron_spin="polarized")
    assert condensate(box, tolerance=1e-6, curve_points=0).free_energy_per_pair == pytest.approx(
        condensate(near, curve_points=0).free_energy_per_pair, abs=1e-3)


def test_filled_shells_have_a_closing_temperature_or_none() -> None:
    """Numbers leave the chemical potential of filled shells free: that pairs do not form is said, without an error."""
    full = bilayer(replace(EVERYTHING, gate_top=3.0, gate_bottom=3.0), rs=3.0, mass=1.0, temperature=0.02)
    found = condensate(Torus(full, 37, zero_mode="madelung", electron_spin="polarized"), hexagon=8, curve_points=0)
    assert found.phase == "liquid" and found.gap_closing is None


# -- one's own --

@dataclass(frozen=True)
class Own(Interaction):
    """That of another object, written anew, or with ripples on it."""

    spacing: float
    of: Interaction
    ripple: float = 0.0
    name = "own"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        return self.of.v(q, a, b) * (1 + self.ripple * np.sin(30 * q) ** 2 * np.exp(-q))

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return self.of.long_wave(a, b)


def test_interactions_of_ones_own() -> None:
    """Known by v(q) alone; the lone exciton is that of dilute pairs."""
    for known in (Coulomb(1.0), EVERYTHING):
        capacitor = {} if known.finite else {"capacitor": True}
        ours, own = (condensate(bilayer(i), curve_points=0, tolerance=1e-9, **capacitor)
                     for i in (known, Own(1.0, known)))
        assert own.energy_per_pair == pytest.approx(ours.energy_per_pair, abs=1e-9)
        assert own.exciton_energy == pytest.approx(ours.exciton_energy, abs=2e-8)
    again = solve(Pairs(bilayer(Own(1.0, EVERYTHING), rs=4.01)), initial=own)
    assert again.status.value == "converged" and again.inputs["mesh"] == own.inputs["mesh"]
    assert solve(Pairs(bilayer(Coulomb(1.0), rs=4.01)), initial=own).inputs["mesh"] != own.inputs["mesh"]
    yukawa = condensate(bilayer(Yukawa(1.0, 0.1), rs=300.0), curve_points=0)
    assert yukawa.energy_per_pair == pytest.approx(yukawa.exciton_energy, abs=1e-4)


@dataclass(frozen=True)
class Array(Own):
    """With a field that has no hash."""

    table: np.ndarray | None = None


def test_refusals_are_one_line() -> None:
    with pytest.raises(InputError, match=r"^interaction: must be a v\(q\) without steps or ripples") as error:
        condensate(bilayer(Own(1.0, Coulomb(1.0), 0.1), rs=4.0))
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"^interaction: must be a frozen dataclass of numbers and tuples"):
        condensate(bilayer(Array(1.0, Coulomb(1.0), table=np.zeros(3))))
    with pytest.raises(InputError, match=r"^capacitor: must be absent with gates"):
        condensate(bilayer(EVERYTHING), capacitor=True)


@pytest.mark.parametrize("zero_mode", ["none", "madelung"])
def test_phases_compare_with_the_plane_between_gates(zero_mode: str) -> None:
    """The charged layers are in the energy of the torus and in that of the plane, once."""
    near = bilayer(replace(EVERYTHING, gate_top=3.0, gate_bottom=2.0), rs=6.0, mass=1.0)
    box = Torus(near, 12, zero_mode=zero_mode, electron_spin="polarized")
    found = phases(box, ["liquid", "condensate"], spins="given", tolerance=1e-5)
    above = {row.name: row.above_plane for row in found.candidates}
    charged = near.interaction.charging([(0, -1.0), (1, 1.0)], 1.0) * near.carrier("hole").density
    assert charged > 0.01
    assert all(abs(x) < 0.1 * charged for x in above.values()), above
