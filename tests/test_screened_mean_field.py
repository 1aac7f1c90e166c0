"""Hartree-Fock, condensate, liquid and compressibility in a screened interaction: limits, derivatives, v(0)."""

import numpy as np
import pytest

from ehbilayer import (
    Bilayer,
    Coulomb,
    HartreeFockResult,
    Interaction,
    Screened,
    Torus,
    compressibility,
    condensate,
    hartree_fock,
    liquid,
)

GATED = Screened(1.0, 2.0, 1.0, 6.0, 4.0, 3.0, 2.0)


def box(interaction: Interaction, zero_mode: str = "madelung", *, capacitor: bool = False, holes: int = 4,
        rs: float = 6.0) -> Torus:
    bilayer = Bilayer.of(rs_hole=rs, electron_mass=0.5, hole_mass=1.0, interaction=interaction)
    return Torus(bilayer, holes=holes, zero_mode=zero_mode, capacitor=capacitor, electron_spin="polarized")


def solved(torus: Torus, start: str = "hole-crystal") -> HartreeFockResult:
    return hartree_fock(torus, start, symmetry="crystal", hexagon=5, tolerance=1e-10)


def test_gates_far_away_are_coulomb_with_its_capacitor() -> None:
    """Energy, pressure and gaps; the Madelung convention, as the bare v(0)/A of exchange grows with the gates."""
    far = Screened(1.0, gate_top=1e9, gate_bottom=1e9)
    ours, theirs = solved(box(far)), solved(box(Coulomb(1.0), capacitor=True))
    # the total charge is none, so that v(0) leaves the capacitor alone; gates at 1e9 miss 1e-9 of each potential
    assert ours.total_energy == pytest.approx(theirs.total_energy, abs=1e-6)
    assert ours.pressure == pytest.approx(theirs.pressure, abs=1e-8)
    assert ours.gap.hole == pytest.approx(theirs.gap.hole, abs=1e-6)


def test_no_sheets_and_no_gates_is_coulomb_at_another_distance() -> None:
    ours, theirs = solved(box(Screened(1.0, 4.0, 1.0))), solved(box(Coulomb(2.0)))
    assert ours.total_energy == pytest.approx(theirs.total_energy, rel=1e-12)
    assert ours.pressure == pytest.approx(theirs.pressure, rel=1e-7)  # both states are converged by themselves


@pytest.mark.parametrize("zero_mode", ["none", "madelung"])
def test_the_pressure_is_the_slope_of_the_energy(zero_mode: str) -> None:
    torus, h = box(GATED, zero_mode), 1e-3
    state = solved(torus)
    up, down = (solved(torus.scaled(torus.area * (1 + s * h))).total_energy for s in (1, -1))
    assert state.pressure == pytest.approx(-(up - down) / (2 * h * torus.area), rel=1e-5)


def test_both_conventions_agree_where_the_box_is_wide() -> None:
    """v(0) is physics: what differs are the images of a charge, which gates cut off."""
    energies = {rs: [solved(box(GATED, convention, rs=rs)).energy_per_particle for convention in ("none", "madelung")]
                for rs in (3.0, 12.0, 24.0)}
    apart = [abs(a - b) for a, b in energies.values()]
    assert apart[0] > 1e-3 and apart[2] < 2e-6 and apart[0] > apart[1] > apart[2]


def test_charged_layers_feel_the_gates() -> None:
    """One layer alone: its capacitor to both gates, n^2 v(0)/2 per area, is in the energy and in the pressure."""
    bilayer = Bilayer.of(rs_hole=4, electrons_per_hole=0, interaction=GATED)
    torus = Torus(bilayer, holes=4, zero_mode="madelung")
    state = hartree_fock(torus, "liquid", keep="translations", occupation="shell", hexagon=4)
    n, v0 = bilayer.carrier("hole").density, GATED.long_wave(1, 1)[1]
    assert torus.capacitor_energy == pytest.approx(0.5 * n * n * v0 * torus.area)
    assert float(state.energy_parts["direct"]) == pytest.approx(torus.capacitor_energy, rel=1e-9)
    uniform = liquid(bilayer)
    assert uniform.energy_parts_per_area.capacitor == pytest.approx(0.5 * n * n * v0)


def test_three_routes_to_the_compressibility_between_gates() -> None:
    torus = box(Screened(2.0, 2.0, 1.0, 8.0, 8.0, 2.0, 2.0), holes=4, rs=4.0)
    found = compressibility(torus, hexagon=4)
    assert len(found.methods) == 3
    assert max(found.methods.values()) - min(found.methods.values()) < 1e-5
    assert found.capacitor and found.capacitor_shift > 0
    assert found.inputs["interaction"]["finite_v0"]


def test_the_condensate_of_a_torus() -> None:
    far = Screened(1.0, gate_top=1e9, gate_bottom=1e9)
    ours, theirs = (condensate(t, hexagon=6) for t in (box(far), box(Coulomb(1.0), capacitor=True)))
    assert ours.energy_per_pair == pytest.approx(theirs.energy_per_pair, abs=1e-6)
    assert ours.exciton_energy == pytest.approx(theirs.exciton_energy, abs=1e-6)
    screened = condensate(box(GATED), hexagon=6)
    assert screened.phase == "condensate" and screened.pair_breaking_energy < ours.pair_breaking_energy
    # layers that differ: exchange is the mean of both
    swapped = Screened(1.0, 2.0, 1.0, 4.0, 6.0, 2.0, 3.0)
    bilayer = Bilayer.of(rs_hole=6.0, electron_mass=1.0, hole_mass=1.0, interaction=GATED)
    one, two = (condensate(Torus(Bilayer(bilayer.carriers, i), 4, zero_mode="madelung", electron_spin="polarized"),
                           hexagon=6).energy_per_pair for i in (GATED, swapped))
    assert one == pytest.approx(two, rel=1e-10) and np.isfinite(one)
