"""What the size of a box does to a verdict: exactly for homogeneous phases, whose energy in the plane is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ehbilayer import Bilayer, Torus, phases
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves
from ehbilayer.hartree_fock.options import Options
from ehbilayer.phases.candidates import Candidate, candidates
from ehbilayer.phases.plane import free_energy, plane_energy, shells
from ehbilayer.phases.result import CompetitionResult
from ehbilayer.phases.verdict import ranked

QUICK: dict[str, Any] = {"stability": "none", "tolerance": 1e-5}
UNIFORM = ["liquid", "condensate"]


def torus(holes: int, zero_mode: str = "madelung", mass: float = 1.0, rs: float = 5.0, **more: Any) -> Torus:
    bilayer = Bilayer.of(electron_mass=mass, hole_mass=1.0, spacing=3.0, rs_hole=rs)
    return Torus(bilayer, holes, zero_mode=zero_mode, electron_spin="polarized", **more)


def box_of(bilayer: Bilayer, holes: int, electron_spin: str = "polarized") -> Torus:
    return Torus(bilayer, holes, zero_mode="madelung", electron_spin=electron_spin)


def rows(result: CompetitionResult) -> dict[str, Any]:
    return {r.phase: r for r in ranked((*result.candidates, *result.further))}


def test_an_open_shell_does_not_resolve_a_verdict() -> None:
    """Nine polarised holes: a liquid that modulates its open shell lies 2.4e-3 below the condensate, and a box of four
    says that size moves this by 1.3e-3; in the plane, and with 36 holes, the condensate is the lower by 1e-2."""
    names = ["liquid", "hole-crystal", "crystal", "condensate"]
    small = phases(torus(9), names, **QUICK)
    assert small.winner == "liquid" and small.margin == pytest.approx(2.4e-3, abs=1e-4)
    assert not small.resolved and small.numerical_error > 0.01
    assert any("in the infinite plane the condensate lies" in text for text in small.cautions)
    large = phases(torus(100), UNIFORM, **QUICK)
    assert large.winner == "condensate" and large.resolved and not large.cautions
    assert large.margin - small.margin < small.numerical_error


@pytest.mark.parametrize("mass", [1.0, 0.25])
def test_the_plane_is_where_large_boxes_go(mass: float) -> None:
    """Leads of boxes differ by 1e-2, leads less what the plane says of them by nothing; either convention."""
    lead, exact = [], []
    for holes, zero_mode in ((9, "madelung"), (9, "none"), (64, "madelung"), (144, "none")):
        found = rows(phases(torus(holes, zero_mode, mass), UNIFORM, **QUICK))
        liquid, pairs = found["liquid"], found["condensate"]
        lead.append(liquid.energy - pairs.energy)
        exact.append(lead[-1] - liquid.above_plane + pairs.above_plane)
        assert abs(liquid.above_plane) < 0.2 / np.sqrt(holes) / 5
    np.testing.assert_allclose(exact, exact[0], atol=2e-5)
    assert abs(lead[0] - exact[0]) > 1e-4 and abs(lead[2] - exact[0]) < abs(lead[0] - exact[0]) + 1e-3
    one, other = (rows(phases(torus(9, z, mass), ["liquid", "condensate"], **QUICK)) for z in ("none", "madelung"))
    assert one["liquid"].above_plane == pytest.approx(other["liquid"].above_plane, abs=1e-9)  # whole orbitals


def test_more_particles_are_exact_for_homogeneous_phases() -> None:
    box = torus(9)
    limit = phases(box, UNIFORM, sizes=[16], **QUICK).limit
    assert limit is not None and limit.winner == "condensate" and limit.resolved
    group = [candidates(box, PlaneWaveBasis(box.box, disk_waves(box.box, 2.0)), [name], Options()) for name in UNIFORM]
    liquid, pairs = (plane_energy(name, g) for name, g in zip(UNIFORM, group, strict=True))
    assert limit.margin == pytest.approx(liquid - pairs, abs=1e-9) and limit.uncertainty < 1e-4


def test_few_sites_do_not_tell_a_crystal_from_a_liquid() -> None:
    """Nine holes crystallise with a depletion of 3 %, which is called liquid; of 16 and more it is the hole crystal."""
    bilayer = Bilayer.of("WSe2/bilayer-graphene", spacing="1 nm", hole_density="3e12 cm^-2", electrons_per_hole=2)
    box = Torus(bilayer, 9, zero_mode="madelung", electron_spin="7+7+3+1")
    found = phases(box, ["liquid", "hole-crystal"], spins="given", stability="none", tolerance=1e-4)
    assert found.winner == "liquid" and found.margin is None and not found.resolved
    assert any("Bragg weights of a crystal" in text for text in found.cautions)
    alone = phases(box, ["liquid"], spins="given", stability="none", tolerance=1e-4)
    assert alone.resolved and not any("Bragg" in text for text in alone.cautions)


def made(box: Torus, name: str, **spins: str) -> Candidate:
    box = replace(box, **spins)
    return Candidate(name, box, PlaneWaveBasis(box.box, disk_waves(box.box, 1.0)), Options(), paired=name != "liquid")


def test_flavours_fill_in_the_plane_as_costs_least_there() -> None:
    """Closed shells of a box, 9 + 7, are none of the plane; where one arrangement is asked for, that one counts."""
    dense, dilute = torus(16, rs=0.5), torus(16, rs=8.0)
    for box, best in ((dense, "restricted"), (dilute, "polarized")):
        several = [made(box, "liquid", electron_spin=e, hole_spin=h) for e, h in (("9+7", "9+7"), ("polarized", "9+7"))]
        lowest = plane_energy("liquid", [made(box, "liquid", electron_spin=best, hole_spin=best)])
        assert plane_energy("liquid", several) == pytest.approx(lowest, abs=1e-12)
        uneven = plane_energy("liquid", several[:1])
        assert uneven is not None and lowest is not None and uneven > lowest + 1e-6
    pairs = [made(dilute, "condensate", electron_spin=s, hole_spin=s) for s in ("polarized", "restricted")]
    alone = [plane_energy("condensate", [c]) for c in pairs]
    assert plane_energy("condensate", pairs) == pytest.approx(min(alone), abs=1e-12) and alone[0] != alone[1]


def test_electrons_on_a_hole_crystal_have_the_shells_of_the_box() -> None:
    """Two electrons per hole, of two flavours: boxes differ by 1e-2, the lead of the hole crystal by 1e-3, as
    both have the same electrons. What the plane says of the shells of the holes of the liquid makes that 3e-4."""
    bilayer = Bilayer.of("mass-ratio-10", spacing="1.5 nm", hole_density="5e12 cm^-2", electrons_per_hole=2)
    small, large = (phases(box_of(bilayer, n), ["liquid", "hole-crystal"], spins="all", **QUICK) for n in (12, 36))
    assert small.winner == large.winner == "hole-crystal"
    assert abs(small.lowest_energy - large.lowest_energy) > 5e-3
    assert small.resolved and small.numerical_error < 2e-3
    bulk = []
    for result in (small, large):
        liquid, holes = rows(result)["liquid"], result.particles["hole"]
        electrons = shells("hole-crystal", [made(box_of(bilayer, holes), "liquid", electron_spin=spin)
                                            for spin in ("polarized", "restricted")],
                           box_of(bilayer, holes, electron_spin=liquid.spin_arrangement.split(", ")[0].split()[1]))
        bulk.append(result.margin - liquid.above_plane + electrons)
    assert abs(small.margin - large.margin) > 8e-4 and abs(bulk[0] - bulk[1]) < 4e-4


def test_a_box_without_a_smaller_one_is_no_license() -> None:
    """Four electrons and twelve holes tile no smaller triangle: size does what it does to the liquid."""
    bilayer = Bilayer.of("WSe2/MoSe2", spacing="2 nm", hole_density="1.7e12 cm^-2", electrons_per_hole=1 / 3)
    box = Torus(bilayer, 12, zero_mode="madelung", electron_spin="polarized")
    found = phases(box, ["liquid", "hole-crystal", "crystal"], spins="given", stability="none", tolerance=1e-4)
    liquid = rows(found)["liquid"]
    assert all(r.size_shift is None for r in found.candidates) and liquid.above_plane is not None
    assert found.numerical_error > abs(liquid.above_plane) > 1e-3
    assert any("takes size to do what it does to the liquid" in text for text in found.cautions)


def test_what_the_plane_does_not_know() -> None:
    box = torus(9)
    assert shells("crystal", [made(box, "crystal")], box) is None and free_energy("condensate", box) is None
    assert plane_energy("crystal", [made(box, "crystal")]) is None
    electron = replace(box.bilayer.carrier("electron"), dispersion=lambda k: np.sum(k**2, axis=-1) / 2)
    carriers = tuple(electron if c.name == "electron" else c for c in box.bilayer.carriers)
    other = replace(box, bilayer=replace(box.bilayer, carriers=carriers))
    assert plane_energy("liquid", [made(other, "liquid")]) is None
    found = phases(other, UNIFORM, **QUICK)  # a smaller box says what size does, as for crystals
    assert all(r.above_plane is None for r in found.candidates)
    assert [r.size_shift for r in found.candidates].count(None) == 1 and found.numerical_error > 1e-4
    charged = replace(box, capacitor=True)
    gained = charged.capacitor_energy / 9
    for name in UNIFORM:
        with_it, without = (plane_energy(name, [made(b, name)]) for b in (charged, box))
        assert with_it is not None and without is not None and with_it - without == pytest.approx(gained)
