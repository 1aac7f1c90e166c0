"""Phases at a temperature: free energies compete, those of Hartree-Fock and of the condensate themselves."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from ehbilayer import Bilayer, InputError, Torus, condensate, device, hartree_fock, phases
from ehbilayer.phases.result import CompetitionResult
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from ehbilayer.studies.task import prepare

HEAT = 0.05


def pairs(heat: float) -> Torus:
    bilayer = Bilayer.of(electron_mass=1.0, hole_mass=1.0, dielectric=5.0, rs_hole=6.0, spacing=1.0, temperature=heat)
    return Torus(bilayer, holes=9, zero_mode="madelung", electron_spin="polarized")


def layer(heat: float) -> Torus:
    return Torus(Bilayer.of(rs_hole=12.0, electrons_per_hole=0, temperature=heat), holes=9, zero_mode="madelung")


@cache
def found(heat: float) -> CompetitionResult:
    return phases(pairs(heat), hexagon=4, spins="given", stability="none")


def test_a_small_temperature_changes_nothing() -> None:
    cold, warm = found(0.0), found(1e-5)
    assert (warm.winner, warm.runner_up, warm.resolved) == (cold.winner, cold.runner_up, cold.resolved)
    assert warm.margin == pytest.approx(cold.margin, abs=1e-9)
    assert warm.numerical_error == pytest.approx(cold.numerical_error, rel=1e-2)
    assert cold.temperature is None and warm.temperature == 1e-5
    for before, after in zip(cold.candidates, warm.candidates, strict=True):
        assert before.entropy is None and after.entropy == pytest.approx(0, abs=1e-6)
        assert after.energy == pytest.approx(before.energy, abs=1e-9)


def test_candidates_have_the_free_energies_of_their_own_methods() -> None:
    result, torus = found(HEAT), pairs(HEAT)
    crystal = hartree_fock(torus, "crystal", symmetry="crystal", hexagon=4, stability="none")
    pairing = condensate(torus, hexagon=4, curve_points=0)
    assert result.candidate("crystal").energy == pytest.approx(crystal.free_energy / 9, abs=1e-8)
    assert result.candidate("condensate").energy == pytest.approx(pairing.free_energy_per_pair, abs=1e-8)
    assert result.candidate("condensate").entropy == pytest.approx(pairing.entropy_per_pair, abs=1e-6)
    assert result.energy == min(row.energy or 0.0 for row in result.candidates)


def test_entropy_is_the_slope_of_the_free_energy() -> None:
    step = 1e-3
    above, below = found(HEAT + step), found(HEAT - step)
    for row in found(HEAT).candidates:
        slope = ((above.candidate(row.name).energy or 0.0) - (below.candidate(row.name).energy or 0.0)) / (2 * step)
        assert row.entropy is not None and row.entropy > 0.1
        assert slope == pytest.approx(-row.entropy, rel=2e-3)


def test_a_crystal_gives_way_to_the_liquid() -> None:
    """One layer: the liquid has the larger entropy, so that it wins above some temperature and not below."""
    cold, warm = (phases(layer(heat), hexagon=5, spins="given", stability="none") for heat in (1e-3, 0.2))
    assert (cold.winner, cold.runner_up) == ("crystal", "liquid") and cold.margin > 1e-3
    assert warm.winner == "liquid"


def test_heat_washes_the_shells_of_a_box_out() -> None:
    """The liquid comes closer to that of the infinite plane, whose free energy is another method's."""
    cold, warm = (found(heat).candidate("liquid").above_plane for heat in (0.0, HEAT))
    assert cold is not None and warm is not None and abs(warm) < 0.5 * abs(cold)


def test_unequal_spins_compete() -> None:
    """All arrangements, among them flavours of unequal numbers; the tables tell what is free."""
    result = phases(pairs(HEAT), ["liquid", "condensate"], hexagon=4, spins="all", stability="none")
    assert result.energy <= found(HEAT).energy + 1e-8
    told = dict(rows(result))
    assert "free energies" in told["temperature"] and "k_B per hole" in told["condensate"]
    assert any("gas of pairs" in text for text in result.cautions)


@pytest.mark.parametrize(("argument", "how"), [
    ("hexagon", {}), ("sizes", {"hexagon": 4, "sizes": [16]}), ("stability", {"hexagon": 4, "stability": "full"}),
    ("follow", {"hexagon": 4, "follow": True}), ("occupation", {"hexagon": 4, "occupation": "shell"})])
def test_what_is_of_the_ground_state_is_refused(argument: str, how: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        phases(pairs(HEAT), **how)
    assert caught.value.argument == argument and "\n" not in str(caught.value)


def test_the_page_of_a_device_lets_free_energies_compete() -> None:
    warm = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="0.5e12 cm^-2", temperature="40 K",
                      electron_flavours=1, hole_flavours=1)
    page = device(warm, holes=4, hexagon=3)
    assert page.competition.temperature == warm.temperature and page.competition.winner == page.phase
    assert page.thermal.temperature == warm.temperature and page.thermal.here is not None
    assert any("by free energy" in text for text in page.caveats)
    with pytest.raises(InputError, match="hexagon"):
        device(warm, holes=4)


def test_studies_take_a_temperature() -> None:
    study = {"kind": "phases", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 1.0,
                                           "temperature": HEAT},
             "density": {"rs_hole": 6.0, "electrons_per_hole": 1}, "hartree-fock": {"electron_spin": "polarized"},
             "cell": {"holes": 9, "zero_mode": "madelung", "hexagon": 4}}
    task = prepare(make_study(study))
    assert any("free energies" in line for line in task.plan)
    with pytest.raises(InputError, match="temperature"):
        prepare(make_study(study | {"phases": {"method": "monte-carlo"}}))
    study["cell"] = {"holes": 9, "zero_mode": "madelung"}
    with pytest.raises(InputError, match="hexagon"):
        prepare(make_study(study))
