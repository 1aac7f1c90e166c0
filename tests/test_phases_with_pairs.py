"""Candidates with electron-hole coherence: who competes, that they are the states of Hartree-Fock, and cautions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ehbilayer import Bilayer, InputError, Torus, condensate, hartree_fock, phases
from ehbilayer.phases.arrangements import coherent
from ehbilayer.phases.bulk import limit_of
from ehbilayer.phases.candidates import COHERENT, applicable, with_pairs
from ehbilayer.phases.plane import plane_energy
from ehbilayer.phases.result import CompetitionResult
from ehbilayer.studies.phases.table import rows
from ehbilayer.sweep.load import load
from ehbilayer.torus import Torus as TorusType

NAMES = ("trion-crystal", *COHERENT)


def torus_of(holes: int = 9, spacing: float = 1.5, ratio: float = 2, mass: float = 2.0, **more: Any) -> Torus:
    layers = Bilayer.of(spacing=spacing, rs_hole=8, electron_mass=mass, hole_mass=1.0, electrons_per_hole=ratio)
    spin = {} if ratio == 2 else {"electron_spin": "polarized"}
    return Torus(layers, holes=holes, zero_mode="madelung", **spin | more)


@pytest.fixture(scope="module")
def result() -> CompetitionResult:
    return phases(torus_of(), NAMES, hexagon=5)


def test_candidates_are_the_states_of_hartree_fock_with_pairing(result: CompetitionResult) -> None:
    assert result.status.value == "converged" and result.winner == "supersolid" and result.runner_up == COHERENT[2]
    starts = {"supersolid": "supersolid", "composite-crystal": "composite-crystal", COHERENT[2]: "condensate"}
    for name, start in starts.items():
        keep = "translations" if start == "condensate" else "none"
        alone = hartree_fock(torus_of(electron_spin="9|9"), start, hexagon=5, pairing=True, symmetry="crystal",
                             keep=keep, stability="none")
        row = result.candidate(name)
        assert row.phase == name
        assert row.energy == pytest.approx(alone.total_energy / 9, abs=1e-5 if row.left_out else 1e-8)
        assert row.pair_amplitude == pytest.approx(alone.condensate_fraction, abs=1e-4)
    row = result.candidate("supersolid")
    assert row.stiffness is not None and row.bkt is not None and row.quasiparticle_gap is not None
    assert 0 < row.stiffness < result.candidate(COHERENT[2]).stiffness  # a crystal holds the condensate back


def test_every_row_tells_its_orders_and_the_verdict_what_mean_field_lacks(
        result: CompetitionResult, tmp_path: Any) -> None:
    assert any("none of a trion" in text for text in result.cautions)
    lines = dict(rows(result))
    assert "condensate fraction" in lines["supersolid"] and "stiffness" in lines["supersolid"]
    result.save(tmp_path / "p.nc")
    again = load(tmp_path / "p.nc")
    assert again.candidate("supersolid").stiffness == result.candidate("supersolid").stiffness
    assert set(result.data["candidate"].values) == set(NAMES)


def test_the_plane_of_pairs_beside_a_liquid_is_where_boxes_go(result: CompetitionResult) -> None:
    """Each flavour has its own energy: pairs of one, a liquid of the other. Boxes come within 1e-4 (144 holes,
    hexagon 48); where flavours pair with unequal numbers it is not known."""
    torus = torus_of(electron_spin="9|9")
    own = next(c for c in candidates_of(torus) if c.arrangement == "electrons unrestricted, holes polarized")
    plane = plane_energy(COHERENT[2], [own])
    assert plane is not None
    assert result.candidate(COHERENT[2]).above_plane == pytest.approx(result.candidate(COHERENT[2]).energy - plane)
    pairs = condensate(torus_of(ratio=1).bilayer, tolerance=1e-7)
    gas = plane - pairs.energy_per_pair
    assert gas == pytest.approx(plane_energy("liquid", [electrons_of(torus)]), abs=1e-6)
    uneven = [c for c in candidates_of(torus) if "unrestricted" not in c.arrangement]
    assert uneven and plane_energy(COHERENT[2], uneven) is None


def candidates_of(torus: TorusType) -> list[Any]:
    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.basis.waves import hexagon_waves
    from ehbilayer.hartree_fock.options import Options
    from ehbilayer.phases.candidates import candidates

    basis = PlaneWaveBasis(torus.box, hexagon_waves(torus.box, 4))
    return candidates(torus, basis, [COHERENT[2]], Options(), "all")


def electrons_of(torus: TorusType) -> Any:
    """A liquid of one flavour of the electrons on as large a box, per hole."""
    from ehbilayer.phases.candidates import Candidate

    electron = next(c for c in torus.bilayer.carriers if c.charge < 0)
    alone = Bilayer((replace(electron, density=9 / torus.area),), torus.bilayer.interaction)
    box = Torus(alone, electrons=9, zero_mode="madelung", electron_spin="polarized")
    return Candidate.of("liquid", box, "liquid", keep="translations", symmetry="none", hexagon=4)


def test_who_may_compete() -> None:
    assert with_pairs(torus_of()) == COHERENT and with_pairs(torus_of(ratio=1)) == ("supersolid",)
    assert with_pairs(torus_of(holes=4, ratio=1.5)) == (COHERENT[2],)
    assert not set(COHERENT) & set(applicable(torus_of(), "all"))  # only where they are named
    found = [(a.electron, a.hole, a.cells) for a in coherent(torus_of(16, ratio=1), "supersolid")]
    assert found == [("polarized", "polarized", 1), ("unrestricted", "unrestricted", 2)]
    assert [a.electron for a in coherent(torus_of(4, ratio=1.5), COHERENT[2])] == ["4|2", "polarized", "restricted"]


@pytest.mark.parametrize(("torus", "names", "how", "argument"), [
    (torus_of(ratio=1), ["composite-crystal"], {}, "candidates"),
    (torus_of(ratio=1), [COHERENT[2]], {}, "candidates"),
    (torus_of(), ["composite-crystal"], {"spins": "given", "electron_spin": "polarized"}, "candidates")])
def test_what_cannot_form_is_refused(torus: Torus, names: list[str], how: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        phases(torus, names, hexagon=4, **how)


def test_balanced_supersolids_compete_with_the_condensate_and_balance_needs_no_caution() -> None:
    found = phases(torus_of(4, ratio=1, mass=1.0), ["condensate", "supersolid"], hexagon=4, stability="none")
    assert not any("trion" in text for text in found.cautions)
    row = found.candidate("supersolid")
    assert row.phase in ("condensate", "supersolid") and row.energy <= found.candidate("condensate").energy + 1e-7


def test_sizes_know_no_metal_in_a_supersolid(result: CompetitionResult) -> None:
    """Open shells scatter in none of the two lowest phases: the error of the limit is that of waves and law alone."""
    other = phases(torus_of(4), NAMES[1:], hexagon=3, stability="none")
    limit = limit_of({9: result, 4: other})
    assert limit.winner == "supersolid" and set(limit.heights) >= {"supersolid", COHERENT[2]}


def test_a_start_may_be_a_result_of_a_condensate() -> None:
    torus = torus_of(9, ratio=1, mass=0.4, electron_spin="polarized")
    how: dict[str, Any] = {"hexagon": 5, "pairing": True, "symmetry": "crystal", "stability": "none",
                           "tolerance": 1e-9}
    box = condensate(torus, hexagon=5, curve_points=0, tolerance=1e-10)
    same = hartree_fock(torus, box, keep="translations", **how)
    assert same.iterations <= 6 and same.total_energy == pytest.approx(box.total_energy, abs=1e-9)
    plane = condensate(torus.bilayer, curve_points=0)
    near = hartree_fock(torus, plane, keep="translations", **how)
    assert near.total_energy == pytest.approx(box.total_energy, abs=1e-8)
    beside = hartree_fock(torus_of(4, electron_spin="4|4"), plane, **how)
    assert beside.phase == COHERENT[2]
    with pytest.raises(InputError, match="unequal numbers"):
        hartree_fock(torus_of(4, ratio=1.5, electron_spin="polarized"), plane, **how)
    with pytest.raises(InputError, match="kind hartree-fock"):
        hartree_fock(torus, plane, hexagon=5)


def test_no_candidate_with_pairs_in_crystals_at_a_temperature():
    layers = Bilayer.of(spacing=1.5, rs_hole=8, electron_mass=2.0, hole_mass=1.0, electrons_per_hole=2,
                        temperature=1e-3)
    with pytest.raises(InputError, match="without pairs in crystals at a temperature"):
        phases(Torus(layers, holes=4, zero_mode="madelung"), ["liquid", "supersolid"], hexagon=3)
