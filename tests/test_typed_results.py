"""Typed results: quantities, values per carrier, fields that survive their file, and files of format 1."""

from __future__ import annotations

import json
import lzma
import math
import pickle
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ehbilayer
from ehbilayer.condensate.result import Coexistence, PlaneCondensateResult, TorusCondensateResult
from ehbilayer.errors import InputError
from ehbilayer.few_body.result import ComplexResult, SpacingScanResult
from ehbilayer.results.base import Carriers, Provenance, Quantity, Record, Result, ResultFileError, entry, number
from ehbilayer.results.fields import declared, described
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.result import SweepResult
from ehbilayer.units import Scales, scales_of

DEVICE = Scales(0.2, 0.4, 4.7)
OLD = Path(__file__).parent / "data"


# -- quantities --


def test_a_quantity_is_a_float() -> None:
    energy = Quantity(-0.5, "Ha_h", DEVICE)
    assert energy == -0.5 and type(energy + 1) is type(2 * energy) is type(-energy) is float
    assert json.dumps([energy]) == "[-0.5]" and f"{energy:.3f}" == "-0.500" and str(energy) == "-0.5"
    again = pickle.loads(pickle.dumps(energy))
    assert (again, again.unit, again.scales) == (energy, "Ha_h", DEVICE)
    with pytest.raises(AttributeError):
        energy.unit = "meV"


def test_quantities_say_what_they_are() -> None:
    assert repr(Quantity(-0.125, "Ha_h")) == "-0.125 Ha_h" and repr(Quantity(2.0, "1")) == "2"
    assert repr(Quantity(1.0, "Ha_h", DEVICE)) == f"1 Ha_h ({DEVICE.hartree_meV:.5g} meV)"


@pytest.mark.parametrize(("unit", "other", "value"), [
    ("Ha_h", "meV", DEVICE.hartree_meV), ("Ha_h", "K", DEVICE.hartree_kelvin), ("a_h", "nm", DEVICE.bohr_radius_nm),
    ("a_h", "angstrom", 10 * DEVICE.bohr_radius_nm), ("a_h^-2", "cm^-2", DEVICE.density_per_cm2(1.0)),
    ("a_h", "a_e", 0.5), ("Ha_h", "Ha_e", 2.0), ("a_h^-2", "a_e^-2", 4.0),
    ("Ha_h/a_h^2", "meV/nm^2", DEVICE.hartree_meV / DEVICE.bohr_radius_nm**2),
    ("Ha_h a_h^2", "meV nm^2", DEVICE.hartree_meV * DEVICE.bohr_radius_nm**2), ("1/a_h", "1/nm",
                                                                                1 / DEVICE.bohr_radius_nm)])
def test_conversions(unit: str, other: str, value: float) -> None:
    there = Quantity(1.0, unit, DEVICE).to(other)
    assert type(there) is float and there == pytest.approx(value, rel=1e-12)
    assert Quantity(there, other, DEVICE).to(unit) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("unit", "scales", "other", "words"), [
    ("Ha_h", Scales(), "meV", "hole_mass"), ("Ha_h", Scales(hole_mass=0.4), "meV", "dielectric"),
    ("a_h", Scales(hole_mass=0.4, dielectric=5.0), "a_e", "electron_mass"), ("Ha_h", DEVICE, "nm", "same dimension"),
    ("Ha_h", DEVICE, "mev", 'did you mean "meV"')])
def test_what_cannot_be_converted_is_named(unit: str, scales: Scales, other: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Quantity(1.0, unit, scales).to(other)


def test_masses_follow_from_the_units_of_format_1() -> None:
    found = scales_of(DEVICE.table())
    assert (found.electron_mass, found.hole_mass, found.dielectric) == pytest.approx((0.2, 0.4, 4.7), rel=1e-12)
    assert not scales_of(Scales().table()).known


# -- values per carrier --


def test_values_of_carriers() -> None:
    gap = Carriers({"electron": 0.5, "hole": None, "hole 2": 0.25})
    assert gap.electron == gap["electron"] == 0.5 and gap.hole is None and gap["electron 2"] is None
    assert gap["hole 2"] == gap.hole_2 == 0.25 and dict(gap) == {"electron": 0.5, "hole": None, "hole 2": 0.25}
    assert pickle.loads(pickle.dumps(gap)) == gap
    with pytest.raises(AttributeError, match="electrn"):
        _ = gap.electrn
    with pytest.raises(AttributeError):
        gap.electron = 1.0


# -- fields --


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    name: str = entry("its name")
    energy: float | None = number("Ha_h", "energy of the row", None)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Everything(Result):
    """Every type that a field may have."""

    kind: ClassVar[str] = "everything-of-a-test"
    total_energy: float | None = number("Ha_h", "total energy", key="energy")
    length: float = number("a_h", "a length")
    ratio: float = number("1", "a ratio")
    count: int = entry("a count")
    flag: bool | None = entry("a flag")
    word: str = entry("a word")
    choice: Literal["one", "two"] = entry("a choice")
    either: float | str = entry("a number or a word")
    gap: Carriers[float] = number("Ha_h", "a gap")
    many: tuple[float | None, ...] = number("a_h^-2", "densities")
    pair: tuple[int, str] = entry("a pair")
    rows: tuple[Row, ...] | None = entry("rows")
    best: Row = number("Ha_h", "the best row")
    by_name: dict[str, int] = entry("numbers by name")
    more: dict[str, Any] | None = entry("anything", None)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ROWS = st.builds(Row, name=WORDS, energy=st.none() | NUMBERS)
RESULTS = st.builds(
    Everything, status=st.sampled_from(sorted(ehbilayer.Status)), total_energy=st.none() | st.floats(), length=NUMBERS,
    ratio=NUMBERS, count=st.integers(-2**60, 2**60), flag=st.none() | st.booleans(), word=WORDS,
    choice=st.sampled_from(["one", "two"]), either=NUMBERS | WORDS,
    gap=st.dictionaries(st.sampled_from(["electron", "hole", "hole 2"]), st.none() | NUMBERS).map(Carriers),
    many=st.lists(st.none() | st.floats(), max_size=3).map(tuple), pair=st.tuples(st.integers(-9, 9), WORDS),
    rows=st.none() | st.lists(ROWS, max_size=3).map(tuple), best=ROWS,
    by_name=st.dictionaries(WORDS, st.integers(0, 9)),
    more=st.fixed_dictionaries({"a": st.lists(NUMBERS, max_size=2)}), advice=st.just("") | st.just("try again"),
    provenance=st.sampled_from([Provenance(), Provenance(3, "numpy", 1.25, ("a.b",), DEVICE, {"python": "3"}, 2, "h",
                                                         {"x": 1}, {"y": 2.0})]))


def values(result: Result) -> dict[str, Any]:
    return {f.name: getattr(result, f.name) for f in fields(result) if f.name != "data"}


def units(value: Any) -> Any:
    """The units of all quantities, where they lie."""
    if isinstance(value, Quantity):
        return value.unit, value.scales
    if isinstance(value, Carriers):
        return {k: units(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return [units(v) for v in value]
    return units(value.energy) if isinstance(value, Row) else None


@settings(max_examples=60, deadline=None)
@given(RESULTS)
def test_every_field_survives_its_file(result: Everything) -> None:
    again = Result.from_bytes(result.to_bytes())
    assert type(again) is Everything and values(again) == values(result) and again.summary == result.summary
    assert {k: units(v) for k, v in values(again).items()} == {k: units(v) for k, v in values(result).items()}
    assert again.to_bytes() == result.to_bytes()


def everything(**changes: Any) -> Everything:
    given = {"status": "converged", "total_energy": -1.0, "length": 2, "ratio": np.float64(0.5), "count": np.int64(3),
             "flag": np.True_, "word": "w", "choice": "one", "either": "x", "gap": {"electron": 0.25, "hole": math.nan},
             "many": np.array([1.0, np.inf]), "pair": [1, "a"], "rows": [{"name": "r", "energy": 1, "new": 2}],
             "best": Row("b", -2.0), "by_name": {"n": 1}, "provenance": Provenance(backend="numpy", scales=DEVICE)}
    return Everything(**given | changes)


def test_what_a_method_gives_becomes_what_is_declared() -> None:
    result = everything()
    assert result.length.unit == "a_h" and type(result.ratio) is float and type(result.count) is int
    assert result.flag is True and result.gap.hole is None and result.many == (1.0, None) and result.pair == (1, "a")
    assert result.rows == (Row("r", 1.0),) and result.best.energy.to("meV") == pytest.approx(-2 * DEVICE.hartree_meV)
    assert result.energy == -1.0 and result.energy.unit == "Ha_h"


def test_the_summary_has_every_energy_in_real_units() -> None:
    s = everything().summary
    assert s["energy_meV"] == -DEVICE.hartree_meV and s["gap_kelvin"] == {"electron": 0.25 * DEVICE.hartree_kelvin,
                                                                          "hole": None}
    assert s["best_meV"]["energy"] == -2 * DEVICE.hartree_meV and s["best_meV"]["name"] == "b"
    assert not [key for key in s if key.startswith(("length_", "many_"))]
    assert not [key for key in replace(everything(), provenance=Provenance()).summary if key.endswith("_meV")]


@pytest.mark.parametrize(("name", "value"), [
    ("length", "2"), ("length", True), ("count", 2.5), ("flag", 1), ("word", 3), ("choice", "three"), ("many", 1.0),
    ("gap", 1.0), ("pair", (1,)), ("rows", [1]), ("either", [])])
def test_another_type_is_named(name: str, value: Any) -> None:
    with pytest.raises(InputError) as error:
        everything(**{name: value})
    assert error.value.argument.startswith(name)


def test_entries_of_the_summary_become_fields_or_stay_aside() -> None:
    result = everything().with_entries({"energy": -3.0, "reason": "why", "foreign": [1]})
    assert (result.energy, result.reason, result.extra) == (-3.0, "why", {"foreign": [1]})
    again = Result.from_bytes(result.to_bytes())
    assert again.summary["foreign"] == [1] and again.extra == {"foreign": [1]}


def test_results_are_read_as_their_class_or_refused(tmp_path: Path) -> None:
    everything().save(tmp_path / "result.nc")
    assert type(Everything.load(tmp_path / "result.nc")) is Everything
    with pytest.raises(ResultFileError, match="holds a Everything, not a ComplexResult"):
        ComplexResult.load(tmp_path / "result.nc")
    with pytest.raises(TypeError, match="abstract"):
        Result(status="converged")


def test_what_has_no_class_is_a_record(tmp_path: Path) -> None:
    for kind in ("nobody-knows", "../units", "units", "few-body", "everything-of-a-test"):
        Record(kind, "invalid", {"reason": "bad"}, {}).save(tmp_path / "result.nc")
        found = Result.load(tmp_path / "result.nc")
        assert type(found) is Record and (found.kind, found.reason) == (kind, "bad")


def test_entries_have_units_and_meanings() -> None:
    assert described(Everything, "gap.electron") == ("Ha_h", "a gap, of the electrons")
    assert described(Everything, "gap_meV.hole") == ("meV", "a gap, of the holes")
    assert described(Everything, "rows.r.energy") == ("Ha_h", "energy of the row")
    assert described(Everything, "nothing") is None and described(ComplexResult, "distances.eh")[0] == "a_h"
    for cls in (ComplexResult, SpacingScanResult, PlaneCondensateResult, TorusCondensateResult, SweepResult):
        assert all(f.meaning and f.unit for f in declared(cls).values())


# -- sweeps of typed results --


def test_arrays_of_a_sweep_carry_units_and_meanings() -> None:
    study = make_study({"kind": "few-body", "bilayer": {"electron_mass": 0.4, "hole_mass": 0.4, "dielectric": 4.7},
                        "few-body": {"complex": "exciton"}, "sweep": {"bilayer.spacing": ["1 nm", 1.0]}})
    swept = ehbilayer.run(study)
    assert isinstance(swept, SweepResult)
    axis = swept.data["bilayer.spacing"]
    assert axis.units == "a_h" and axis.values == pytest.approx([1 / swept.provenance.scales.bohr_radius_nm, 1.0])
    told = {name: swept.data[name].units for name in ("energy", "energy_meV", "distances.eh", "binding_kelvin",
                                                      "exciton_polarisability", "functions", "wall_seconds")}
    assert told == {"energy": "Ha_h", "energy_meV": "meV", "distances.eh": "a_h", "binding_kelvin": "K",
                    "exciton_polarisability": "a_h^3", "functions": "1", "wall_seconds": "s"}
    assert swept.data["energy"].description == "energy, an upper bound"


# -- files of format 1 --


@pytest.fixture
def old(tmp_path: Path) -> Any:
    """Reads a file as version 0.1 wrote it; then once more from a file of today."""

    def read(name: str) -> Result:
        path = tmp_path / "result.nc"
        path.write_bytes(lzma.decompress((OLD / f"format-1-{name}.nc.xz").read_bytes()))
        result = Result.load(path)
        summary = Result.load(path, arrays=False).summary
        result.save(path)
        again = Result.load(path)
        assert again.summary == result.summary == summary and list(again.data) == list(result.data)
        assert again.dataset.identical(result.dataset)
        return result

    return read


def test_an_old_trion(old: Any) -> None:
    result = old("few-body-binding")
    assert isinstance(result, ComplexResult) and result.status == "not_converged" and result.functions == 20
    assert result.binding_energy.to("K") == pytest.approx(result.summary["binding_kelvin"], rel=1e-12)
    assert result.data["pair_eh"].dims == ("radius_eh",) and "radius_eh" in result.dataset.coords
    assert not result.extra and result.provenance.study["kind"] == "few-body"
    assert ehbilayer.studies.kinds.rows(result)


def test_an_old_scan(old: Any) -> None:
    result = old("few-body-scan")
    assert isinstance(result, SpacingScanResult) and result.spacings == (0.0, 1.0, 2.0)
    assert result.data["spacing"].values.tolist() == [0.0, 1.0, 2.0] and result.bound_at == (True, True, True)
    assert result.dataset["energies"].sel(spacing=1.0) == pytest.approx(result.data["energies"].values[1])


def test_old_condensates(old: Any) -> None:
    plane, torus = old("condensate-plane"), old("condensate-torus")
    assert isinstance(plane, PlaneCondensateResult) and isinstance(torus, TorusCondensateResult)
    assert all(isinstance(c, Coexistence) for c in plane.coexistence) and torus.coexistence is None
    assert torus.energy == pytest.approx(6 * torus.energy_per_pair) and torus.particles.hole == 6
    assert not plane.extra and not torus.extra


def test_an_old_hartree_fock_state(old: Any) -> None:
    result = old("hartree-fock")
    assert result.kind == "hartree-fock" and result.summary["particles"] == {"electron": 4, "hole": 4}
    assert result.data["orbitals_0"].values.dtype.kind == "c"


def test_an_old_sweep(old: Any) -> None:
    result = old("sweep")
    assert isinstance(result, SweepResult) and result.done == 6 and not result.extra
    assert result.candidates == ("liquid", "crystal", "condensate")
    assert result.data["energies"].dims == ("density.rs_hole", "bilayer.spacing", "candidate")
    assert result.data["bilayer.spacing"].units == "a_h"
    lowest = np.where(result.data["statuses"].values == "converged", result.data["energies"].values, np.inf).argmin(-1)
    ends = np.take_along_axis(result.data["ended_as"].values, lowest[..., None], -1)[..., 0]
    assert (ends == result.data["winner"].values).all()
    assert result.data["candidates.gap.hole"].values.shape == (2, 3, 3)
