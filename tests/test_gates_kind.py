"""The kind "gates": study and Python alike, tables made of sweeps, measured points, files and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
from ehbilayer import Bilayer, InputError, load, make_study
from ehbilayer.gates.result import GatesResult
from ehbilayer.run import runner
from ehbilayer.studies.drawing import save_figures
from ehbilayer.studies.kinds import rows
from ehbilayer.studies.task import prepare

LAYERS = {"electron_mass": 0.5, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 2.0}
STACK: dict[str, Any] = {"gap": "0.3 eV", "gate_top": "6 a_h", "gate_bottom": "5 nm", "ground": "middle"}
FREE = STACK | {"equation": "free", "bias": ["0.3 V", "500 mV"], "common": ["-0.2 V", "0.2 V"], "points": 4}


def study(gates: dict[str, Any], **tables: Any) -> Any:
    return make_study({"kind": "gates", "bilayer": LAYERS, "gates": gates} | tables)


def test_study_and_python_give_the_same() -> None:
    by_study = ehbilayer.run(study(FREE))
    direct = ehbilayer.gates(Bilayer.of(electron_mass=0.5, hole_mass=1.0, dielectric=5.0, spacing=2.0), **FREE)
    assert isinstance(by_study, GatesResult) and by_study.phases == direct.phases
    assert list(by_study.data) == list(direct.data)
    for name, array in by_study.data.items():
        assert np.array_equal(array.values, direct.data[name].values)
    scale = by_study.provenance.scales
    assert by_study.data["bias"].values * scale.hartree_meV == pytest.approx([300, 1100 / 3, 1300 / 3, 500], rel=1e-12)


def test_a_page_with_measured_points(tmp_path: Path) -> None:
    (tmp_path / "seen.csv").write_text("bias (V), n_x (cm^-2)\n0.28, 1e11\n0.3, 3e11\n", encoding="utf-8")
    n = np.linspace(0.0, 0.03, 20)
    lines = [f"{x}, {y}, {np.pi * (x * x + y * y / 2) - 0.2 * min(x, y)}" for x in n for y in n]
    (tmp_path / "f.csv").write_text("n_e, n_h, f\n" + "\n".join(lines), encoding="utf-8")
    asked = make_study({"kind": "gates", "bilayer": LAYERS, "gates": STACK | {
        "table": "f.csv", "measured": "seen.csv", "bias": ["0.15 V", "0.4 V"], "common": [-0.05, 0.05], "points": 5}},
                       folder=tmp_path)
    result = runner.run(asked, tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.equation == "table" and again.data["measured_bias"].values.shape == (2,)
    hartree = result.provenance.scales.hartree_meV
    assert again.threshold * hartree == pytest.approx(300 - 0.2 * hartree, rel=1e-6)
    width = again.summary["insulator_width"]
    assert width["charge"] == pytest.approx(0.2 * hartree / 1e3, rel=1e-3) and width["bias"] > 0
    assert again.threshold.to("mV") == pytest.approx(again.threshold.to("meV"))
    assert save_figures(again, tmp_path)[0].stat().st_size > 10_000
    told = dict(rows(again))
    assert told["first pairs at"].endswith("V") and "exciton insulator" in told["phases"]


@pytest.mark.parametrize("volts", [{"bias": "0.4 V"}, {"bias": "0.4 V", "common": ["0 V", "0.2 V"], "points": 3}])
def test_points_and_lines_have_a_table(volts: dict[str, Any], tmp_path: Path) -> None:
    result = ehbilayer.run(study(STACK | {"equation": "liquid"} | volts))
    result.save(tmp_path / "result.nc")
    assert rows(load(tmp_path / "result.nc"))
    if "common" in volts:
        assert save_figures(result, tmp_path)
    else:
        assert result.here.phase == "plasma"
        with pytest.raises(InputError, match="ehb show"):
            save_figures(result, tmp_path)


def test_voltages_can_be_swept(tmp_path: Path) -> None:
    swept = ehbilayer.run(study(STACK | {"equation": "free"}, sweep={"gates.bias": ["0.4 V", "0.5 V"]}), tmp_path / "s")
    density = swept.data["here.electron_density"].values
    assert density[1] > density[0] and swept.data["here.phase"].values.tolist() == ["plasma", "plasma"]


@pytest.mark.parametrize("capacitor", [False, True])
def test_a_sweep_of_condensates_is_an_equation_of_state_without_its_capacitor(tmp_path: Path, capacitor: bool) -> None:
    n = {"start": 1e-4, "stop": 0.02, "count": 24}
    bilayer = LAYERS | {"electron_flavours": 1, "hole_flavours": 1}
    runner.run(make_study({"kind": "condensate", "bilayer": bilayer | {"capacitor": capacitor},
                           "condensate": {"limit": "thermodynamic", "curve_points": 0}, "density": {
                               "electrons_per_hole": 1}, "sweep": {"density.hole": n}}), tmp_path / "sweep")
    asked = STACK | {"bias": ["0.3 V", "0.4 V"], "points": 3}
    tabled = ehbilayer.run(make_study({"kind": "gates", "bilayer": bilayer, "gates": asked | {"table": "sweep"}},
                                      folder=tmp_path))
    built_in = ehbilayer.run(make_study({"kind": "gates", "bilayer": bilayer, "gates": asked}))
    assert set(tabled.data["phase"].values.tolist()) == {"exciton insulator"}
    assert tabled.data["hole_density"].values == pytest.approx(built_in.data["hole_density"].values, rel=1e-4)
    with pytest.raises(InputError, match="this bilayer"):
        prepare(make_study({"kind": "gates", "bilayer": bilayer | {"spacing": 3.0},
                            "gates": asked | {"table": "sweep"}}, folder=tmp_path))


@pytest.mark.parametrize(("tables", "words"), [
    ({"bilayer": LAYERS | {"capacitor": True}}, "bilayer.capacitor"),
    ({"bilayer": LAYERS | {"hole_mass": None}}, "mass"), ({"gates": FREE | {"gap": None}}, "gates.gap"),
    ({"bilayer": LAYERS | {"temperature": "-1 K"}}, "bilayer.temperature"),
    ({"gates": FREE | {"table": "nowhere.csv"}}, "gates.table"),
    ({"gates": FREE | {"bias": ["1 V", "0 V"]}}, "gates.bias"), ({"gates": FREE | {"bias": "1 nm"}}, "voltage"),
    ({"gates": FREE | {"gate_top": "-1 nm"}}, "gates.gate_top"),
    ({"gates": FREE | {"dielectric_top": 0.5}}, "gates.dielectric_top"),
    ({"gates": FREE | {"top": "1 V"}}, "gates.common")])
def test_bad_studies_name_their_key(tables: dict[str, Any], words: str) -> None:
    given = {"kind": "gates", "bilayer": LAYERS, "gates": FREE} | tables
    clean = {k: {a: b for a, b in v.items() if b is not None} if isinstance(v, dict) else v for k, v in given.items()}
    with pytest.raises(InputError) as caught:
        prepare(make_study(clean))
    assert words in str(caught.value) and "\n" not in str(caught.value)
