"""Studies of kind "compressibility": study in, result, table and figure out; bad input refused before any work."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ehbilayer import load_study
from ehbilayer.compressibility import study as compressibility_study
from ehbilayer.compressibility.size_limit import alpha_squared
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.results.base import Provenance, Result
from ehbilayer.status import Status
from ehbilayer.studies.compressibility import prepare as kind
from ehbilayer.studies.compressibility.figure import figure, phonons
from ehbilayer.studies.compressibility.table import rows
from ehbilayer.units import Scales

EXAMPLE = Path(__file__).parents[1] / "examples" / "compressibility.toml"
CONTRACT = ("alpha_squared", "uncertainty", "bulk_modulus", "pressure", "by_size", "state")
SMALL = """
kind = "compressibility"
[bilayer]
electron_mass = 0.1
hole_mass = 1.0
dielectric = 5.0
spacing = 1.0
[density]
rs_electron = 1.6
electrons_per_hole = 1
[cell]
holes = 16
hexagon = 4
zero_mode = "none"
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def run(path: Path, *sets: str, how: Hooks | None = None) -> Result:
    return kind.prepare(load_study(path, list(sets))).solve(how or Hooks())


def test_the_example(tmp_path: Path) -> None:
    device = Provenance(scales=Scales(0.1, 1.0, 5.0))
    result = replace(run(EXAMPLE, "density.rs_electron=0.6"), provenance=device)
    s = result.summary
    assert result.status is Status.converged and all(s[key] is not None for key in CONTRACT)
    value, doubt = alpha_squared(Bilayer.of(electron_mass=0.1, hole_mass=1.0, spacing=1.0, rs_electron=0.6))
    assert abs(s["alpha_squared"] - value) < doubt + s["uncertainty"] and s["extrapolated"] and s["stable"]
    assert s["alpha"] == pytest.approx(math.sqrt(s["alpha_squared"]))
    assert s["velocity"] == pytest.approx(s["alpha"] * math.sqrt(0.1) / 0.6)  # v_0^2 = eps_F/m_h = 0.1/r_s^2
    # a_h Ha_h/hbar = e^2/(4 pi eps hbar), that of light over 137.036 over the dielectric constant
    assert s["velocity_m_per_s"] == pytest.approx(s["velocity"] * 299792458 / 137.035999 / 5.0, rel=1e-6)
    assert [row["particles"] for row in s["by_size"]] == [16, 36, 64]
    assert s["state"]["candidate"] == "hole-crystal" and s["state"]["occupation"] == "shell"
    assert s["state"]["open_shell"]
    assert s["method_spread"] < 1e-5 and set(s["methods"]) == {"response", "pressure", "energy"}
    table = dict(rows(result))
    assert "infinitely many" in table["alpha^2"] and "m/s" in table["plasmon velocity"] and "64 particles" in table
    result.save(tmp_path / "r.nc")
    assert figure(Result.load(tmp_path / "r.nc")) is not None


def test_a_negative_alpha_squared_is_reported_and_never_rooted(small: Path) -> None:
    result = run(small, "density.rs_electron=2.5")
    s = result.summary
    assert s["alpha_squared"] < 0 and s["stable"] is False
    assert s["alpha"] is None and s["velocity"] is None and s["velocity_m_per_s"] is None
    table = dict(rows(result))
    assert rows(result)[1][0] == "UNSTABLE" and "the uniform density" in rows(result)[1][1]  # before any number
    assert "alpha" not in table and "plasmon velocity" not in table
    assert result.status is Status.converged  # an answer, not a failure
    texts = [t.get_text() for t in figure(result).texts]
    assert any("UNSTABLE" in t for t in texts)


def test_conventions_and_capacitor_of_one_torus(small: Path) -> None:
    none, madelung = run(small), run(small, "cell.zero_mode=madelung", "bilayer.capacitor=true")
    a, b = none.summary, madelung.summary
    assert a["by_zero_mode"]["none"] == pytest.approx(a["alpha_squared"])
    assert b["alpha_squared"] == pytest.approx(a["by_zero_mode"]["madelung"] + 0.4, abs=1e-5)
    assert a["capacitor_shift"] == pytest.approx(0.4) and b["without_capacitor"] == pytest.approx(
        b["alpha_squared"] - 0.4)
    assert a["with_capacitor"] == pytest.approx(a["alpha_squared"] + 0.4)
    assert a["by_size"][0]["gas"] is not None and a["limit"] is None and not a["extrapolated"]
    assert "on this torus, zero mode none" in dict(rows(none))["alpha^2"]


@pytest.mark.parametrize("method", ["pressure", "energy"])
def test_the_method_asked_for_is_the_one_told(small: Path, method: str) -> None:
    sets = (f"compressibility.method={method}", "compressibility.sizes=[4, 16]")
    s = run(small, *sets).summary
    assert s["method"] == method and s["extrapolated"]
    assert s["by_size"][1]["alpha_squared"] == s["methods"][method]
    assert s["methods"][method] == pytest.approx(s["methods"]["response"], abs=1e-5)


def test_the_lowest_state(small: Path) -> None:
    sets = ("cell.holes=4", "cell.hexagon=3", "compressibility.state=lowest", "compressibility.starts=2")
    result = run(small, *sets)
    s = result.summary
    assert s["state"]["kept"] == "lowest" and s["state"]["occupation"] == "integer" and s["state"]["starts"] == 2
    assert s["symmetric"]["energy_above"] > 0 and s["symmetric"]["alpha_squared"] != s["alpha_squared"]
    assert "symmetric state" in dict(rows(result)) and s["by_size"][0]["gas"] is None
    assert figure(result) is not None


def test_electrons_alone(tmp_path: Path) -> None:
    path = tmp_path / "gas.toml"
    text = SMALL.replace("electrons_per_hole = 1", "").replace("holes = 16", "electrons = 38")
    path.write_text(text.replace("hole_mass = 1.0", "").replace("rs_electron = 1.6", "rs_electron = 1.2"),
                    encoding="utf-8")
    result = run(path, "compressibility.sizes=[38, 74]")
    s = result.summary
    assert s["alpha_squared"] == pytest.approx(s["uniform_gas"], abs=1e-8)  # corrected by itself
    assert s["state"]["phase"] == "liquid" and s["lattice"] is None and not s["capacitor_shift"]
    with pytest.raises(InputError, match="phonon_distance"):
        phonons(result)
    assert figure(result) is not None


def test_the_independent_route_is_beside_it(small: Path) -> None:
    s = run(small, "bilayer.spacing=60").summary["lattice"]
    rs = 1.6
    crystal = 0.75 * -1.106103 / (rs / 0.1) / (0.1 / rs**2)
    assert s["none"]["bulk_without_capacitor"] == pytest.approx(1 + crystal, abs=1e-3)
    assert s["exchange"]["bulk"] - s["none"]["bulk"] == pytest.approx(-math.sqrt(2) / math.pi * rs, abs=1e-3)


def test_a_stop_is_a_status(small: Path) -> None:
    told: list[str] = []

    def stop() -> Status | None:
        return Status.interrupted if len(told) > 5 else None

    result = run(small, "compressibility.sizes=[16, 36]",
                 how=Hooks(progress=told.append, should_stop=stop))
    assert result.status is Status.interrupted and len(result.summary["by_size"]) == 1
    assert rows(result) and figure(result) is not None


def test_a_series_is_resumed_by_size(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = ("compressibility.sizes=[4, 16, 36]",)
    kept: list[Result] = []
    first = run(small, *sets, how=Hooks(checkpoint=kept.append,
                                        should_stop=lambda: Status.timeout if kept else None))
    assert first.status is Status.timeout and list(kept[0].summary["finished_sizes"]) == ["4"]
    first.save(tmp_path / "r.nc")
    solved: list[int] = []
    modulus = compressibility_study.modulus

    def counting(torus: Any, *args: Any, **how: Any) -> Any:
        solved.append(torus.sites)
        return modulus(torus, *args, **how)

    monkeypatch.setattr(compressibility_study, "modulus", counting)
    rest = run(small, *sets, how=Hooks(initial=Result.load(tmp_path / "r.nc"), resumed=True))
    assert rest.status is Status.converged and 4 not in solved and 36 in solved
    whole = run(small, *sets)
    assert "finished_sizes" not in rest.summary
    for mine, other in zip(rest.summary["by_size"], whole.summary["by_size"], strict=True):
        assert mine.pop("status") == other.pop("status") == "converged" and mine == pytest.approx(other)
    assert rest.summary["limit"] == pytest.approx(whole.summary["limit"])


def test_not_converged_is_said(small: Path) -> None:
    result = run(small, "hartree-fock.max_iterations=5")
    assert result.status is Status.not_converged and result.summary["uncertainty"] is None
    assert "not_converged" in dict(rows(result))["status"]


@pytest.mark.parametrize(("override", "argument"), [
    ("density.electrons_per_hole=2", r"density\.electrons_per_hole"),
    ("density.electrons_per_hole=0", r"density\.electrons_per_hole"),
    ("cell.holes=15", r"hartree-fock\.electron_spin"),
    ("compressibility.sizes=[16, 20]", r"compressibility\.sizes"),
    ("compressibility.sizes=[16, 25]", r"compressibility\.sizes: .* multiples of 2 while electron_spin is restricted"),
    ("compressibility.sizes=[36]", r"compressibility\.sizes"),
    ("bilayer.spacing=-1", r"bilayer\.spacing"),
    ("density.rs_electron=-1", r"density\.rs_electron"),
    ("compressibility.state=any", r"compressibility\.state"),
    ("compressibility.tolerance=0", r"compressibility\.tolerance"),
])
def test_bad_input_is_named(small: Path, override: str, argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        kind.prepare(load_study(small, [override]))


def test_keys_that_mean_nothing_here_are_idle(small: Path) -> None:
    used = load_study(small).used()
    assert "compressibility.occupation" in used and "compressibility.starts" not in used
    assert "compressibility.tolerance" not in used and "cell.symmetry" not in used
    free = load_study(EXAMPLE, ["compressibility.state=lowest"]).used()
    assert "compressibility.starts" in free and "compressibility.tolerance" in free
    assert "compressibility.occupation" not in free


def test_the_plan_says_what_comes(small: Path) -> None:
    task = kind.prepare(load_study(EXAMPLE))
    plan = "\n".join(task.plan)
    assert "16, 36, 64 particles" in plan and "zero mode none" in plan and "symmetric" in plan
    assert task.resolved["compressibility"]["tolerance"] == 2e-3
    assert kind.prepare(load_study(small)).resolved["compressibility"]["tolerance"] is None
    assert np.isfinite(task.resolved["cell"]["area"])
