"""crystal, phonons, few_body, critical_spacing from Python: the numbers of the same study, and what is refused."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ehbilayer import critical_spacing, crystal, few_body, phonons, run
from ehbilayer.crystal.result import CrystalResult, CrystalScanResult
from ehbilayer.crystal.structures import named
from ehbilayer.errors import InputError
from ehbilayer.few_body.result import ComplexResult, SpacingScanResult
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.phonons.result import PhononsResult
from ehbilayer.results.base import Provenance, Result
from ehbilayer.results.fields import declared, described
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from ehbilayer.studies.task import prepare
from ehbilayer.sweep.result import SweepResult
from ehbilayer.units import Scales

DEVICE = {"electron_mass": 0.8, "hole_mass": 0.4, "dielectric": 4.7}
TABLES = {"bilayer": DEVICE | {"spacing": "3 nm"}, "density": {"hole": "1.29e11 cm^-2", "electrons_per_hole": 2}}
QUICK = {"mesh": 6, "points": 3, "tolerance": 1e-2}
APART = ("wall_seconds", "ignored")  # of a summary: what is not the method's, or not said by a function


def device(**changes: Any) -> Bilayer:
    given = DEVICE | {"spacing": "3 nm", "hole_density": "1.29e11 cm^-2", "electrons_per_hole": 2}
    return Bilayer.of(**given | changes)


def study(kind: str, **tables: Any) -> Result:
    """The result of a study; the device and density above are replaced by tables of the same name."""
    return run(make_study({"kind": kind} | TABLES | {name.replace("_", "-"): t for name, t in tables.items()}))


def same(a: Result, b: Result) -> None:
    """To the bit: class, status, every entry and every array."""
    assert type(a) is type(b) and a.status is b.status
    first, second = ({k: v for k, v in r.summary.items() if k not in APART} for r in (a, b))
    assert first == second and list(a.data) == list(b.data)
    for name, array in a.data.items():
        np.testing.assert_array_equal(array.values, b.data[name].values)


@pytest.fixture(scope="module")
def rhombic() -> CrystalResult:
    return crystal(device(), "rhombic")


# -- crystals --


def test_a_named_crystal_is_that_of_its_study(rhombic: CrystalResult) -> None:
    same(rhombic, study("crystal", crystal={"structure": "rhombic"}))
    assert rhombic.energy.to("meV") == rhombic.summary["energy_meV"] and rhombic.energy.unit == "Ha_h"
    assert rhombic.symmetry.group == "cmm2" and rhombic.particles.electron == 2
    assert rhombic.crystal.length == pytest.approx(rhombic.a)


def test_a_search_is_that_of_its_study() -> None:
    table = {"starts": 2, "holes_per_cell": 2, "seed": 3}
    found = crystal(device(electrons_per_hole=1), **table)
    same(found, study("crystal", density={"hole": "1.29e11 cm^-2", "electrons_per_hole": 1}, crystal=table))
    assert [s.start for s in found.starts] == ["triangular", "square", "random", "random"]
    assert found.structure == "triangular" and found.minima[0].found > 1


def test_a_scan_is_that_of_its_study_and_asks_for_no_density() -> None:
    table = {"scan": (5.3, 5.6), "scan_points": 2, "starts": 1}
    found = crystal(device(hole_density="3e10 cm^-2"), **table)
    density = {"electrons_per_hole": 2}
    same(found, study("crystal", density=density, crystal=table | {"scan": [5.3, 5.6]}))
    assert isinstance(found, CrystalScanResult)
    assert [(t.below, t.above) for t in found.transitions] == [("rhombic", "honeycomb")]


def test_a_crystal_or_a_result_may_be_the_start(rhombic: CrystalResult, tmp_path: Path) -> None:
    denser = device(hole_density="1.35e11 cm^-2")
    by_result, by_crystal = crystal(denser, rhombic), crystal(denser, rhombic.crystal)
    assert by_result.energy == by_crystal.energy and by_result.structure == "rhombic"
    rhombic.save(tmp_path / "result.nc")
    by_file = study("crystal", density={"hole": "1.35e11 cm^-2", "electrons_per_hole": 2},
                    crystal={"structure": str(tmp_path / "result.nc")})
    assert by_file.energy == pytest.approx(by_result.energy, rel=1e-14)
    with pytest.raises(InputError, match="structure: must be a result with 1 electrons per hole"):
        crystal(device(electrons_per_hole=1), rhombic)


def test_two_layers_of_holes() -> None:
    holes = device(electrons_per_hole=0, hole_density=None, rs_hole=20.0, spacing=10.0)
    found = crystal(holes, "staggered-square", layers=2, capacitor=True)
    tables = {"bilayer": DEVICE | {"spacing": 10.0, "capacitor": True},
              "density": {"rs_hole": 20.0, "electrons_per_hole": 0},
              "crystal": {"structure": "staggered-square", "layers": 2}}
    same(found, study("crystal", **tables))
    assert crystal(holes, "triangular").spacing == 0


# -- phonons --


def test_phonons_are_those_of_their_study(rhombic: CrystalResult) -> None:
    found = phonons(device(), "honeycomb", **QUICK)
    same(found, study("phonons", crystal={"structure": "honeycomb"}, phonons=QUICK))
    assert found.zero_point_energy_per_hole.to("meV") == found.summary["zero_point_energy_per_hole_meV"]
    assert found.melting["dipole"].spacing.to("nm") > 0 and found.sound.slowest > 0 and found.stable is True
    assert found.masses == {"electron": 2.0, "hole": 1.0}


def test_scans_and_saddles_are_those_of_their_study() -> None:
    table = QUICK | {"scan": (4.0, 8.0), "scan_points": 2, "follow": True}
    found = phonons(device(hole_density="3e11 cm^-2"), "trion-crystal", **table)
    density = {"hole": "3e11 cm^-2", "electrons_per_hole": 2}
    same(found, study("phonons", density=density, crystal={"structure": "trion-crystal"},
                      phonons=table | {"scan": [4.0, 8.0]}))
    assert found.stable is False and found.followed.structure != "trion-crystal" and found.melting is None


def test_phonons_of_a_crystal_and_of_a_result(rhombic: CrystalResult) -> None:
    of_bilayer, of_result = phonons(device(), rhombic, **QUICK), phonons(rhombic, **QUICK)
    of_crystal = phonons(rhombic.crystal, masses={"electron": 2.0, "hole": 1.0}, **QUICK)
    assert of_bilayer.gamma_frequencies == pytest.approx(of_result.gamma_frequencies, abs=1e-9)
    assert of_result.gamma_frequencies == of_crystal.gamma_frequencies
    assert of_result.masses == of_bilayer.masses and of_result.start == "rhombic"
    assert of_result.provenance.scales.known and not of_crystal.provenance.scales.known
    alone = phonons(named("triangular", 1 / (49 * np.pi), 0.0, 0), **QUICK)
    assert alone.masses == {"hole": 1.0} and alone.length_unit == "a"


def test_a_crystal_in_units_of_its_spacing_has_no_zero_point_motion() -> None:
    dimensionless = run(make_study({"kind": "crystal", "bilayer": DEVICE, "crystal": {"structure": "honeycomb"},
                                    "density": {"a_over_d": 6.0, "electrons_per_hole": 2}}))
    assert dimensionless.unit_spacing and not dimensionless.provenance.scales.known
    with pytest.raises(InputError, match="masses"):
        phonons(dimensionless, **QUICK)
    found = phonons(dimensionless, masses={"electron": 2.0, "hole": 1.0}, **QUICK)
    assert found.zero_point_energy_per_hole is None and found.melting["dipole"].spacing > 0


# -- complexes --


def test_a_complex_is_that_of_its_study() -> None:
    few = {"max_functions": 40, "tolerance": 1e-3, "seed": 5}
    found = few_body(device(spacing=1.0), "trion-", **few)
    same(found, study("few-body", bilayer=DEVICE | {"spacing": 1.0}, few_body=few | {"complex": "trion-"}))
    assert isinstance(found, ComplexResult) and found.total_energy.to("meV") == found.summary["energy_meV"]
    pair = few_body(device(), "exciton")
    same(pair, study("few-body", few_body={"complex": "exciton"}))


def test_spacings_of_a_complex_are_those_of_its_study() -> None:
    few = {"max_functions": 20, "tolerance": 1e-2}
    found = few_body(device(), "trion+", "triplet", spacings=["1 nm", 0.0], **few)
    same(found, study("few-body", few_body=few | {"complex": "trion+", "spin": "triplet", "spacings": [0.0, "1 nm"]}))
    assert isinstance(found, SpacingScanResult) and found.spacings[0] == 0.0 and found.angular_momentum == 1


def test_critical_spacings_are_those_of_their_study() -> None:
    def after(asks: int) -> Any:
        asked: list[int] = []
        return lambda: asked.append(1) or (Status.timeout if len(asked) > asks else None)

    few = {"max_functions": 20, "mass_ratios": [2.0, 0.5]}
    found = critical_spacing(device(), "trion-", **few, should_stop=after(8))
    tables = {"few-body": few | {"find": "critical-spacing"}}
    task = prepare(make_study({"kind": "few-body"} | TABLES | tables))
    same(replace(found, provenance=Provenance()), task.solve(Hooks(should_stop=after(8))))
    assert found.mass_ratios == (0.5, 2.0) and found.data["path_next"].values > 0
    assert task.scales == found.provenance.scales == Scales()  # of no device: it has one ratio of its own
    stopped = critical_spacing(device(), "trion-", should_stop=lambda: Status.timeout)
    assert stopped.status is Status.timeout and stopped.mass_ratios == (2.0,) and stopped.provenance.scales.known


# -- refusals --


class Own(Coulomb):
    """An interaction of one's own."""

    name = "own"


CALLS = {"crystal": lambda b: crystal(b, "honeycomb"), "scan": lambda b: crystal(b, scan=(1.0, 2.0)),
         "phonons": lambda b: phonons(b, "honeycomb"), "few_body": lambda b: few_body(b),
         "critical_spacing": lambda b: critical_spacing(b)}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_another_interaction_and_other_carriers_are_refused_by_name(call: Any) -> None:
    with pytest.raises(InputError, match=r"interaction: must be coulomb (or screened )?for .*, but was 'own'"):
        call(device(interaction=Own(1.0)))
    bilayer = device()
    light = Carrier("light hole", 1, 0.3, 1, 0.01)
    with pytest.raises(InputError, match=r"carriers: must be electrons in layer 0 and holes .* 'light hole'"):
        call(replace(bilayer, carriers=(*bilayer.carriers, light)))


@pytest.mark.parametrize("call", [CALLS["phonons"], CALLS["few_body"], CALLS["critical_spacing"]])
def test_a_dispersion_and_another_unit_of_mass_are_refused_by_name(call: Any) -> None:
    electron, hole = device().carriers
    flat = replace(electron, dispersion=lambda k: 0 * k[..., 0])
    with pytest.raises(InputError, match="electron dispersion"):
        call(replace(device(), carriers=(flat, hole)))
    with pytest.raises(InputError, match="hole mass"):
        call(replace(device(), carriers=(electron, replace(hole, mass=0.4))))
    if call is not CALLS["phonons"]:
        with pytest.raises(InputError, match="electron: must be one of the carriers"):
            call(device(electrons_per_hole=0))


def test_classical_charges_have_no_mass_to_refuse(rhombic: CrystalResult) -> None:
    electron, hole = device().carriers
    odd = replace(device(), carriers=(replace(electron, mass=3.0, dispersion=lambda k: 0 * k[..., 0]), hole))
    assert crystal(odd, "rhombic").energy == rhombic.energy


@pytest.mark.parametrize(("call", "argument"), [
    (lambda: crystal(device(), "honeycom"), "structure"), (lambda: crystal(device(), relax="all"), "relax"),
    (lambda: crystal(device(), starts=0), "starts"), (lambda: crystal(device(), seed=-1), "seed"),
    (lambda: crystal(device(), box="round", starts=1), "box"), (lambda: crystal(device(), layers=2), "layers"),
    (lambda: crystal(device(), "tilted-axial", holes_per_cell=3), "holes_per_cell"),
    (lambda: crystal(device(), holes_per_cell=0), "holes_per_cell"),
    (lambda: crystal(device(), "rhombic", tolerance=0.0), "tolerance"),
    (lambda: crystal(device(), scan=(2.0, 1.0)), "scan"),
    (lambda: crystal(device(), scan=(1.0, 2.0), relax="none"), "relax"),
    (lambda: crystal(device(), scan=(1.0, 2.0), scan_points=1), "scan_points"),
    (lambda: crystal(device(electrons_per_hole=0), scan=(1.0, 2.0)), "scan"),
    (lambda: crystal(device(electrons_per_hole=0.5), scan=(1.0, 2.0)), "holes_per_cell"),
    (lambda: crystal(device(spacing=0.0)), "spacing"), (lambda: crystal(device(spacing=1e-3)), "a_over_d"),
    (lambda: crystal(device(electrons_per_hole=np.sqrt(2))), "electrons_per_hole"),
    (lambda: crystal(device().with_densities({"hole": 0.0})), "hole_density"),
    (lambda: phonons(device()), "structure"), (lambda: phonons(device(), "random"), "structure"),
    (lambda: phonons(device(), "honeycomb", masses={"hole": 1.0}), "masses"),
    (lambda: phonons(named("honeycomb", 1.0, 1.0), "honeycomb"), "structure"),
    (lambda: phonons(named("honeycomb", 1.0, 1.0)), "masses"),
    (lambda: phonons(named("honeycomb", 1.0, 1.0), masses={"hole": 1.0}), "masses.electron"),
    (lambda: phonons(named("triangular", 1.0, 0.0, 0), scan=(1.0, 2.0)), "scan"),
    (lambda: phonons(device(), "honeycomb", lindemann=0.0), "lindemann"),
    (lambda: phonons(device(), "honeycomb", mesh=1), "mesh"),
    (lambda: few_body(device(), "quadrion"), "complex"), (lambda: few_body(device(), spin="up"), "spin"),
    (lambda: few_body(device(), angular_momentum=2), "angular_momentum"),
    (lambda: few_body(device(), max_functions=0), "max_functions"),
    (lambda: few_body(device(), tolerance=1.0), "tolerance"), (lambda: few_body(device(), spacings=[]), "spacings"),
    (lambda: few_body(device(), spacings=["1 meV"]), "spacings"),
    (lambda: few_body(device(), backend="cupy"), "backend"),
    (lambda: critical_spacing(device(), "exciton"), "complex"),
    (lambda: critical_spacing(device(), mass_ratios=[]), "mass_ratios"),
])
def test_an_error_names_the_argument(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert error.value.argument == argument


# -- files --


def test_results_come_back_from_their_files(rhombic: CrystalResult, tmp_path: Path) -> None:
    scan = crystal(device(electrons_per_hole=1), scan=(3.0, 4.0), scan_points=2, starts=1)
    stopped = crystal(device(), starts=2, should_stop=lambda: Status.interrupted)
    moving = phonons(device(), "honeycomb", follow=True, **QUICK)
    unfinished = phonons(device(), "tilted-axial", should_stop=lambda: Status.interrupted)
    assert stopped.status is unfinished.status is Status.interrupted and stopped.starts == () and not unfinished.data
    for result in (rhombic, scan, stopped, moving, unfinished):
        result.save(tmp_path / "result.nc")
        again = Result.load(tmp_path / "result.nc")
        assert type(again) is type(result) and again.summary == result.summary and not again.extra
        assert all(getattr(again, f.name) == getattr(result, f.name) for f in fields(result) if f.name != "data")
        assert rows(again) == rows(result)
    for cls in (CrystalResult, CrystalScanResult, PhononsResult):
        assert all(f.meaning and f.unit for f in declared(cls).values())
    assert described(PhononsResult, "melting.dipole.spacing") is not None


def test_a_sweep_of_crystals_has_units() -> None:
    swept = study("crystal", crystal={"structure": "honeycomb"}, sweep={"bilayer.spacing": [4.0, 5.0]})
    assert isinstance(swept, SweepResult)
    told = {name: swept.data[name].units for name in ("energy", "energy_meV", "a", "cell.a", "lowest_curvature")}
    assert told == {"energy": "Ha_h", "energy_meV": "meV", "a": "a_h", "cell.a": "a_h", "lowest_curvature": "e^2/a^3"}
