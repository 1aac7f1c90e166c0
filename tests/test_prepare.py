"""From a study to bilayer, basis and options: numbers that can be checked by hand, and refusals before computing."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from ehbilayer.errors import InputError
from ehbilayer.hartree_fock import critical
from ehbilayer.studies import torus
from ehbilayer.studies.file import make_study
from ehbilayer.studies.hartree_fock.prepare import problem_of


def tables() -> dict[str, Any]:
    return {"kind": "hartree-fock", "bilayer": {"electron_mass": 0.8, "hole_mass": 0.4, "spacing": 4.83},
            "density": {"rs_hole": 8.0, "electrons_per_hole": 2},
            "cell": {"shape": "rectangular", "holes": 4, "plane_waves": [9, 7], "zero_mode": "none"}}


def density(**keys: Any) -> dict[str, Any]:
    return tables() | {"density": {"electrons_per_hole": 2} | keys}


def test_species_of_the_trion_crystal() -> None:
    prepared = problem_of(make_study(tables()))
    electron, hole = prepared.problem.torus.species
    assert (electron.count, electron.charge, electron.layer, electron.mass, electron.spin) == (8, -1, 0, 2.0,
                                                                                               "restricted")
    assert (hole.count, hole.charge, hole.layer, hole.mass, hole.spin) == (4, 1, 1, 1.0, "polarized")
    assert prepared.problem.basis.size == 63 and prepared.problem.basis.cells == 1
    assert prepared.problem.basis.box.area == pytest.approx(4 * math.pi * 64)
    height_over_width = prepared.problem.basis.box.vectors[1, 1] / prepared.problem.basis.box.vectors[0, 0]
    assert height_over_width == pytest.approx(math.sqrt(3) / 2)


@pytest.mark.parametrize("keys", [
    {"hole": 1 / (64 * math.pi)}, {"electron": 2 / (64 * math.pi)}, {"rs_electron": 8 * 2 / math.sqrt(2)},
    {"a_over_d": 8 / 4.83}, {"hole_over_critical": 0.25, "critical_rs": 4.0}])
def test_every_way_to_say_the_density(keys: dict[str, Any]) -> None:
    assert problem_of(make_study(density(**keys))).problem.basis.box.area == pytest.approx(4 * math.pi * 64, rel=1e-12)


def test_critical_rs_is_computed_once_in_the_same_convention(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fake(basis: Any, holes: int, zero_mode: str, *, spin: str) -> float:
        calls.append((basis.size, holes, zero_mode, spin))
        return 4.0

    monkeypatch.setattr(critical, "critical_rs", fake)
    # a memory of its own, which no other test sees
    monkeypatch.setattr(torus, "_critical_rs", lru_cache(torus._critical_rs.__wrapped__))
    study = make_study(density(hole_over_critical=0.25, critical_rs="computed"))
    prepared = problem_of(study)
    assert calls == [(63, 4, "none", "polarized")]
    problem_of(make_study(study.written(), ["cell.cutoff=2"]))
    assert calls[1][0] > 63  # waves for the tolerance: a cutoff would be another set at each density
    assert prepared.critical_rs == 4.0
    assert prepared.problem.basis.box.area == pytest.approx(4 * math.pi * 64)


def test_material_and_real_units() -> None:
    data = tables() | {"bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"}}
    data["density"] = {"hole": "1.29e12 cm^-2", "electrons_per_hole": 2}
    prepared = problem_of(make_study(data))
    assert prepared.problem.torus.bilayer.spacing == pytest.approx(4.83, abs=6e-3)  # Dai and Fu, SM
    assert prepared.resolved["species"]["hole"]["rs"] == pytest.approx(8, rel=2e-3)
    other = problem_of(make_study(data, ["bilayer.dielectric=9.4"]))  # explicit values replace those of the device
    assert other.problem.torus.bilayer.spacing == pytest.approx(prepared.problem.torus.bilayer.spacing / 2)


def test_monolayers() -> None:
    holes = tables() | {"bilayer": {}, "density": {"rs_hole": 8.0, "electrons_per_hole": 0}}
    assert [s.name for s in problem_of(make_study(holes)).problem.torus.species] == ["hole"]
    electrons = tables() | {"bilayer": {}, "density": {"rs_electron": 8.0}}
    electrons["cell"] = {"electrons": 4, "plane_waves": [5, 5], "zero_mode": "none"}
    prepared = problem_of(make_study(electrons))
    assert [(s.name, s.mass) for s in prepared.problem.torus.species] == [("electron", 1.0)]
    assert prepared.problem.basis.box.area == pytest.approx(4 * math.pi * 64)
    heavy = problem_of(make_study(electrons, ["bilayer.electron_mass=0.8", "bilayer.hole_mass=0.4"]))
    assert heavy.problem.torus.species[0].mass == 2.0  # the unit stays the hole's where it is known
    assert heavy.problem.basis.box.area == pytest.approx(4 * math.pi * 16)


def test_crystal_symmetry_and_rational_filling() -> None:
    data = tables()
    data["cell"] |= {"symmetry": "crystal", "holes_per_cell": 2}
    prepared = problem_of(make_study(data, ["density.electrons_per_hole=1/2", "hartree-fock.electron_spin=polarized"]))
    assert prepared.problem.basis.cells == 2 and prepared.problem.torus.species[0].count == 2
    basis = prepared.problem.basis
    assert np.allclose(basis.supercell @ basis.cell.vectors, basis.box.vectors)


def test_basis_from_the_tolerance() -> None:
    data = tables()
    del data["cell"]["plane_waves"]
    coarse, fine = (problem_of(make_study(data, [f"hartree-fock.tolerance={t}"])) for t in ("1e-4", "1e-8"))
    assert coarse.problem.options.basis_tolerance == 1e-4 and coarse.problem.basis.size < fine.problem.basis.size
    assert problem_of(make_study(tables())).problem.options.basis_tolerance is None  # an explicit basis is kept


def test_resolved_lists_everything_in_atomic_units() -> None:
    resolved = problem_of(make_study(tables())).resolved
    assert resolved["bilayer"]["spacing"] == 4.83 and resolved["hartree-fock"]["max_iterations"] == 2000
    assert resolved["cell"]["zero_mode"] == "none" and resolved["species"]["electron"]["rs"] == pytest.approx(
        8 * 2 / math.sqrt(2))


@pytest.mark.parametrize(("overrides", "key", "hint"), [
    (["bilayer.material=WSe2"], "bilayer.material", "WSe2/MoSe2"),
    (["bilayer.spacing=-1"], "bilayer.spacing", "from 0"),
    (["bilayer.spacing=-3 nm", "bilayer.dielectric=4.7"], "bilayer.spacing", "from 0"),
    (["bilayer.spacing=3 nm"], "bilayer.spacing", "dielectric"),
    (["bilayer.spacing=1e300"], "bilayer.spacing", "from 0"),
    (["density.hole=0"], "density.hole", "> 0"),
    (["density.hole=-1e12 cm^-2", "bilayer.dielectric=4.7"], "density.hole", "> 0"),
    (["density.hole=1e300"], "density.hole", "r_s"),
    (["density.a_over_d=2", "bilayer.spacing=0"], "density.a_over_d", "spacing > 0"),
    (["density.hole_over_critical=0.8"], "density.critical_rs", "computed"),
    (["density.electrons_per_hole=0.3"], "density.electrons_per_hole", "integer number"),
    (["density.electrons_per_hole=-1"], "density.electrons_per_hole", ">= 0"),
    (["density.electrons_per_hole=1e300"], "density.electrons_per_hole", ">= 0"),
    (["density.electrons_per_hole=0", "density.rs_electron=2"], "density.rs_electron", "no electrons"),
    (["density.electrons_per_hole=3/4"], "hartree-fock.electron_spin", "multiple of 2"),
    (["cell.holes=5", "hartree-fock.hole_spin=restricted"], "hartree-fock.hole_spin", "multiple of 2"),
    (["cell.electrons=4"], "density.electrons_per_hole", "without holes"),
    (["cell.plane_waves=[1, 3]"], "cell.plane_waves", "at least 4"),
    (["cell.hexagon=1", "cell.holes=16"], "cell.hexagon", "at least 16"),
    (["cell.plane_waves=[1, 5]", "cell.symmetry=crystal", "density.electrons_per_hole=0"], "cell.plane_waves", "k poi"),
    (["cell.plane_waves=[199999, 3]"], "cell.plane_waves", "at most"),
    (["cell.cutoff=1e6"], "cell.cutoff", "at most"),
    (["cell.plane_waves=[401, 401]", "cell.holes=2400"], "cell", "memory"),
    (["cell.holes=4", "cell.symmetry=crystal", "cell.holes_per_cell=3"], "cell.holes_per_cell", "divisor"),
    (["cell.vectors=[[1, 0], [2, 0]]"], "cell.vectors", "independent"),
    (["cell.vectors=[[0, 0], [0, 0]]"], "cell.vectors", "independent"),
    (["cell.vectors=[[1e300, 0], [0, 1e300]]"], "cell.vectors", "length"),
    (["cell.vectors=[[1, 1], [1, 1.000001]]"], "cell.vectors", "independent"),
    (["hartree-fock.start=trion-cristal"], "hartree-fock.start", "trion-crystal"),
    (["hartree-fock.start=condensate"], "hartree-fock.start", "random"),
    (["hartree-fock.start=nowhere/result.nc"], "hartree-fock.start", "no such file"),
])
def test_what_cannot_be_computed(overrides: list[str], key: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        problem_of(make_study(tables(), overrides))
    assert caught.value.argument == key and hint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["cell.zero_mode", "cell.holes", "density.electrons_per_hole", "bilayer.spacing",
                                     "bilayer.electron_mass", "bilayer.hole_mass"])
def test_missing_keys(missing: str) -> None:
    data = tables()
    table, key = missing.split(".")
    del data[table][key]
    with pytest.raises(InputError) as caught:
        problem_of(make_study(data))
    assert caught.value.argument == missing


def test_missing_density() -> None:
    with pytest.raises(InputError, match="one way"):
        problem_of(make_study(density()))
