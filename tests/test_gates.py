"""Gates and bias to densities: electrostatics, exact limits, the exciton insulator, equations of state of tables."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
from ehbilayer import Bilayer, InputError
from ehbilayer.gates import gates
from ehbilayer.gates.ground import ground
from ehbilayer.gates.insulator import insulator, onset
from ehbilayer.gates.plane import Plane
from ehbilayer.gates.sheet import Curve, carrier_sheet, pair_sheet
from ehbilayer.gates.stack import Stack
from ehbilayer.gates.table import Rows, read_measured, read_rows
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.screened import Screened

STACK = Stack(top=6.0, spacer=2.0, bottom=9.0, gap=0.7, conduction=0.3, ground="middle")
EQUAL = Bilayer.of(spacing=2.0, electron_mass=1.0, hole_mass=1.0)
HEAVY = Bilayer.of(spacing=2.0, electron_mass=0.5, hole_mass=1.0)
GEOMETRY: dict[str, Any] = {"gap": 1.0, "gate_top": 6.0, "gate_bottom": 9.0}


@pytest.fixture(scope="module")
def sheets() -> list[Any]:
    """Mean field of the bilayer of different masses, up to 0.05 a_h^-2."""
    return Plane(HEAVY).sheets(0.05, Hooks())


def at(stack: Stack, **volts: float) -> np.ndarray:
    """w (1, 2) at voltages."""
    return stack.potentials(*(np.array([volts.get(name, 0.0)]) for name in ("top", "bottom", "bias")))


# electrostatics

@pytest.mark.parametrize(("top", "bottom"), [(6.0, 9.0), (None, 9.0), (6.0, None)])
def test_the_capacitors_are_v_of_0_between_the_gates(top: float | None, bottom: float | None) -> None:
    """The same matrix as in Hartree-Fock between gates, so that f with it would count it twice."""
    v = Screened(2.0, 6.93, 3.76, top, bottom)
    stack = Stack(*(math.inf if x is None else x * v.stretch for x in (top, 2.0, bottom)), 0.0, 0.0)
    expected = [[v.long_wave(0, 0)[1], -v.long_wave(0, 1)[1]], [-v.long_wave(1, 0)[1], v.long_wave(1, 1)[1]]]
    assert stack.stiffness == pytest.approx(np.array(expected), rel=1e-13)


def test_potentials_are_those_of_three_capacitors_in_series() -> None:
    ct, ci, cb = (1 / (4 * np.pi * x) for x in (6.0, 2.0, 9.0))
    matrix = np.array([[ct + ci, -ci], [-ci, cb + ci]])
    phi = np.linalg.solve(matrix, [ct * 0.5, cb * -0.2])
    w = at(STACK, top=0.5, bottom=-0.2, bias=0.4)[0]
    assert w == pytest.approx([phi[0] - 0.3 + 0.2, 0.3 - 0.7 - phi[1] + 0.2], rel=1e-13)
    sign = np.diag([-1.0, 1.0])
    assert STACK.stiffness == pytest.approx(sign @ np.linalg.inv(matrix) @ sign, rel=1e-13)


def test_a_common_shift_moves_electrons_and_holes_oppositely() -> None:
    before, after = at(STACK, top=0.1, bottom=0.2, bias=0.5), at(STACK, top=0.4, bottom=0.5, bias=0.5)
    assert after - before == pytest.approx(np.array([[0.3, -0.3]]), abs=1e-15)
    lever = 2.0 / 17.0
    assert at(STACK, top=0.3, bias=0.5).sum() == pytest.approx(0.5 - 0.7 + 0.3 * lever, rel=1e-13)


# no forces: closed forms

def free(w: np.ndarray, stack: Stack, masses: tuple[float, float] = (0.5, 1.0)) -> np.ndarray:
    """n of (K + 2 pi/g m) n = w, all of it positive."""
    return np.asarray(np.linalg.solve(stack.stiffness + np.diag([np.pi / m for m in masses]), w))


def test_without_forces_quantum_and_geometric_capacitance_add_up() -> None:
    sheets = Plane(HEAVY, "free").sheets(0.05, Hooks())
    w = at(STACK, top=0.6, bottom=-0.7, bias=1.3)
    found = ground(sheets, STACK.stiffness, w)
    assert found.n[0] == pytest.approx(free(w[0], STACK), rel=1e-9)
    inverse = np.linalg.inv(STACK.stiffness + np.diag([2 * np.pi, np.pi]))
    assert found.response[0] == pytest.approx(inverse, rel=1e-7)
    assert found.phases(sheets).tolist() == ["plasma"]
    # one layer, one gate: 1/C = 1/C_geometric + 1/C_quantum
    alone = ground(sheets, STACK.stiffness, np.array([[0.3, -5.0]]))
    assert alone.n[0] == pytest.approx([0.3 / (STACK.stiffness[0, 0] + 2 * np.pi), 0.0], rel=1e-9)
    assert alone.phases(sheets).tolist() == ["electrons"]


def test_gates_close_by_set_chemical_potentials_themselves() -> None:
    """C -> infinity: n = g m mu/2 pi."""
    found = gates(HEAVY, gap=1.0, gate_top=1e-9, gate_bottom=1e-9, equation="free", top=0.55, bottom=-0.58,
                  bias=0.0, ground="middle")
    assert found.here is not None
    assert found.here.electron_density == pytest.approx(0.5 * 0.05 / np.pi, rel=1e-6)
    assert found.here.hole_density == pytest.approx(0.08 / np.pi, rel=1e-6)
    assert found.here.chemical_potential["electron"] == pytest.approx(0.05, rel=1e-6)


def test_a_warm_gas_without_forces() -> None:
    """n_e (2 pi/g m T) = ln(1 + e^(mu/T)), mu = w - K n."""
    warm = Bilayer.of(spacing=2.0, electron_mass=0.5, hole_mass=1.0, temperature=0.05)
    found = gates(warm, **GEOMETRY, equation="free", bias=1.2, common=0.05, ground="middle").here
    assert found is not None
    for n, mass, name in ((found.electron_density, 0.5, "electron"), (found.hole_density, 1.0, "hole")):
        mu = found.chemical_potential[name]
        assert mu is not None
        assert n == pytest.approx(mass * 0.05 / np.pi * math.log1p(math.exp(mu / 0.05)), rel=1e-5)
    assert "temperature" in gates(warm, **GEOMETRY, equation="free", bias=1.2).caution
    cold = gates(HEAVY, **GEOMETRY, equation="free", bias=1.2, common=0.05, ground="middle").here
    almost = gates(Bilayer.of(spacing=2.0, electron_mass=0.5, hole_mass=1.0, temperature=1e-4), **GEOMETRY,
                   equation="free", bias=1.2, common=0.05, ground="middle").here
    assert cold is not None and almost is not None
    assert almost.hole_density == pytest.approx(cold.hole_density, rel=1e-4)


# the exciton insulator

def test_inside_the_insulator_a_common_shift_changes_nothing_but_the_single_potentials() -> None:
    found = gates(EQUAL, gap=1.0, gate_top=6.0, gate_bottom=9.0, ground="middle", common=[-0.02, 0.04], bias=0.85,
                  difference=0.1, points=7)
    data = {name: v.values for name, v in found.data.items()}
    assert set(data["phase"].tolist()) == {"exciton insulator"}
    assert data["electron_density"] == pytest.approx(data["hole_density"][0], rel=1e-12)
    assert np.diff(data["mu_electron"]) == pytest.approx(0.01, rel=1e-9)
    assert np.diff(data["mu_hole"]) == pytest.approx(-0.01, rel=1e-9)
    assert data["charge_compressibility"] == pytest.approx(0.0, abs=1e-12)
    assert data["exciton_compressibility"].min() > 0
    # the difference of the gates acts as lever d/L of the bias
    one = gates(EQUAL, gap=1.0, gate_top=6.0, gate_bottom=9.0, ground="middle", bias=0.85 + 0.1 * 2 / 17).here
    assert one is not None and one.electron_density == pytest.approx(data["electron_density"][0], rel=1e-9)


def test_the_pair_potential_is_that_of_the_condensate_and_the_capacitor_counts_once() -> None:
    """With gates far away: e V - E_g = mu of a pair with the capacitor 4 pi d n, once."""
    dense = Bilayer.of(spacing=2.0, electron_mass=1.0, hole_mass=1.0, hole_density=0.004, electron_flavours=1,
                       hole_flavours=1)
    state = ehbilayer.condensate(dense, capacitor=True, curve_points=0)
    found = gates(dense, gap=1.0, gate_top=1e7, gate_bottom=1e7, bias=1.0 + state.chemical_potential,
                  ground="middle").here
    assert found is not None and found.phase == "exciton insulator"
    assert found.hole_density == pytest.approx(0.004, rel=1e-6)
    assert state.chemical_potential_slope is not None
    assert found.exciton_compressibility == pytest.approx(1 / state.chemical_potential_slope, rel=1e-4)


def test_the_first_pair_costs_the_gap_less_its_binding() -> None:
    binding = ehbilayer.few_body(EQUAL, "exciton").binding_energy
    found = gates(EQUAL, **GEOMETRY, ground="middle", bias=[0.6, 0.9], points=2)
    assert found.exciton_energy == pytest.approx(-binding, rel=1e-6)
    assert found.threshold == pytest.approx(1.0 - binding, rel=1e-5)
    n = found.data["curve_density"].values
    bias = found.data["curve_bias"].values
    assert bias[np.isfinite(n)].min() == pytest.approx(found.threshold, abs=bias[1] - bias[0])


def test_adding_a_carrier_to_few_pairs_costs_no_more_than_a_pair_binds() -> None:
    """n -> 0: between -E_X, where a hole leaves a pair behind, and the band's edge, but for what exchange of the
    carriers themselves gains."""
    only = Plane(EQUAL, spin="restricted").sheets(0.02, Hooks())
    kx = np.linspace(0, math.sqrt(0.02), 200)
    pairs = Curve(kx, np.full_like(kx, -0.2))
    gas = Curve(kx, np.pi * kx**2)
    model = [pair_sheet(pairs, gas, "electrons", kx[-1]), pair_sheet(pairs, gas, "holes", kx[-1])]
    both = np.linspace(-0.19, 0.1, 9)
    one = insulator(model, STACK.stiffness, both)
    # f = -E_X min(n_e, n_h) + ...: mu_e jumps by E_X at every density
    assert one.high - one.low == pytest.approx(0.2, rel=1e-5)
    first = onset(model, STACK.stiffness)
    assert first is not None and first == pytest.approx((-0.2, -0.2), rel=1e-6)
    assert onset(only, STACK.stiffness) is not None


def test_maxwells_relation(sheets: list[Any]) -> None:
    """dn_e/dw_h = dn_h/dw_e by differences of states, and as it is told, in every phase."""
    for w in ([0.05, -0.04], [-0.02, 0.15], [0.1, 0.2], [0.05, 0.05]):
        centre = np.array([w])
        found = ground(sheets, STACK.stiffness, centre)
        step = 1e-5
        up = [ground(sheets, STACK.stiffness, centre + step * np.eye(2)[i]) for i in range(2)]
        down = [ground(sheets, STACK.stiffness, centre - step * np.eye(2)[i]) for i in range(2)]
        slopes = np.array([(up[i].n[0] - down[i].n[0]) / (2 * step) for i in range(2)]).T
        assert slopes[0, 1] == pytest.approx(slopes[1, 0], rel=1e-4, abs=1e-9)
        assert found.response[0] == pytest.approx(slopes, rel=1e-4, abs=1e-9)
        for i in range(2):  # and n is -dOmega/dw
            assert (down[i].omega - up[i].omega)[0] / (2 * step) == pytest.approx(found.n[0, i], rel=1e-5, abs=1e-9)


def test_electrons_and_holes_change_places_with_the_gates() -> None:
    here = gates(EQUAL, gap=1.0, gate_top=6.0, gate_bottom=9.0, ground="middle", top=0.3, bottom=0.1, bias=0.9).here
    there = gates(EQUAL, gap=1.0, gate_top=9.0, gate_bottom=6.0, ground="middle", top=-0.1, bottom=-0.3, bias=0.9).here
    assert here is not None and there is not None and here.electron_density > here.hole_density > 0
    assert there.hole_density == pytest.approx(here.electron_density, rel=1e-9)
    assert there.electron_density == pytest.approx(here.hole_density, rel=1e-9)


def test_the_ground_shifts_the_gates() -> None:
    """Gates that count from the electrons' contact lie half the bias lower than from the middle."""
    middle = gates(EQUAL, **GEOMETRY, ground="middle", common=0.1, bias=0.9).here
    electron = gates(EQUAL, **GEOMETRY, ground="electron", common=0.1 + 0.45, bias=0.9).here
    hole = gates(EQUAL, **GEOMETRY, ground="hole", common=0.1 - 0.45, bias=0.9).here
    assert middle is not None and electron is not None and hole is not None
    for other in (electron, hole):
        assert other.electron_density == pytest.approx(middle.electron_density, rel=1e-9)


def test_what_is_not_convex_stays_where_the_capacitors_hold_it() -> None:
    """Exchange makes the compressibility of a dilute liquid negative: mu falls as the density rises."""
    found = gates(HEAVY, **GEOMETRY, equation="liquid", ground="middle", common=[0.5, 0.6], bias=0.0, points=9)
    n, mu = (found.data[name].values for name in ("electron_density", "mu_electron"))
    assert np.all(np.diff(n) > 0) and np.all(np.diff(mu) < 0)
    state = ehbilayer.liquid(Bilayer.of(spacing=2.0, electron_mass=0.5, hole_mass=1.0, electron_density=float(n[4]),
                                        electrons_per_hole=None), curve_points=0)
    assert state.chemical_potential.electron == pytest.approx(mu[4], rel=1e-6)


@pytest.mark.published
def test_gates_see_through_what_cannot_be_charged() -> None:
    """Penetration: 1 without carriers, about 0 behind a metal; pairs add to it, as a medium would."""
    empty = gates(EQUAL, **GEOMETRY, ground="middle", bias=[0.3, 0.4], points=2)
    assert empty.data["penetration_capacitance"].values == pytest.approx(1.0, rel=1e-12)
    metal = gates(EQUAL, gap=1.0, gate_top=600.0, gate_bottom=900.0, equation="free", ground="middle", common=3.0,
                  bias=[1.6, 1.7], points=2)
    assert np.abs(metal.data["penetration_capacitance"].values).max() < 0.2
    pairs = gates(EQUAL, **GEOMETRY, ground="middle", bias=[0.85, 0.86], points=2)
    assert set(pairs.data["phase"].values.tolist()) == {"exciton insulator"}
    assert pairs.data["penetration_capacitance"].values.min() > 1.0


# equations of state of tables

def kinked(count: int = 24, energy: float = 0.2, densest: float = 0.03) -> dict[str, np.ndarray]:
    """f = pi (n_e^2 + n_h^2/2) - E_X min(n_e, n_h)."""
    n = np.linspace(0.0, densest, count)
    ne, nh = (a.ravel() for a in np.meshgrid(n, n))
    return {"n_e": ne, "n_h": nh, "f": np.pi * (ne**2 + nh**2 / 2) - energy * np.minimum(ne, nh)}


def test_a_table_with_a_kink_is_an_insulator_where_it_is() -> None:
    found = gates(HEAVY, **GEOMETRY, ground="middle", table=kinked(), bias=[0.75, 1.1], common=[-0.3, 0.3], points=20)
    assert found.threshold == pytest.approx(0.8, rel=1e-6)
    assert found.jump == pytest.approx(0.2, rel=1e-3)
    k = Stack(6.0, 2.0, 9.0, 1.0, 0.5, "middle").stiffness
    bias, n = (found.data[f"curve_{name}"].values for name in ("bias", "density"))
    here = np.isfinite(n)
    # -E_X + (3 pi + K_ee + 2 K_eh + K_hh) n = e V - E_g
    assert n[here] == pytest.approx((bias[here] - 0.8) / (3 * np.pi + k.sum()), rel=1e-5, abs=1e-9)
    phases = found.data["phase"].values
    assert {"empty", "electrons", "holes", "plasma", "exciton insulator"} == set(phases.ravel().tolist())
    # off the kink it is the smooth f: 2 pi n_e + K n = w_e
    data, stack = found.data, Stack(6.0, 2.0, 9.0, 1.0, 0.5, "middle")
    i, j = np.argwhere(phases == "plasma")[-1]
    n2 = np.array([data["electron_density"].values[i, j], data["hole_density"].values[i, j]])
    c, v = data["common"].values[i], data["bias"].values[j]
    w = at(stack, top=c, bottom=c, bias=v)[0]
    extra = np.array([0.0, -0.2]) if n2[0] > n2[1] else np.array([-0.2, 0.0])
    assert w - k @ n2 == pytest.approx(np.array([2 * np.pi, np.pi]) * n2 + extra, abs=2e-6)


def test_a_table_of_mean_field_gives_its_states() -> None:
    """Rows of pairs and of liquids by name, from the functions that a built-in equation of state has."""
    n = np.linspace(0.0, math.sqrt(0.03), 40)[1:] ** 2
    pairs = [ehbilayer.condensate(Bilayer.of(spacing=2.0, electron_mass=1.0, hole_mass=1.0, hole_density=float(x),
                                             electron_flavours=1, hole_flavours=1), curve_points=0).energy_per_area
             for x in n]
    one = Bilayer.of(spacing=2.0, electron_mass=1.0, hole_mass=1.0, electron_flavours=1, hole_flavours=1)
    table = {"n": n, "f": np.array(pairs), "phase": np.full(len(n), "condensate")}
    volts: dict[str, Any] = {"ground": "middle", "bias": [0.8, 1.0], "points": 5}
    built_in, tabled = gates(one, **GEOMETRY, **volts), gates(one, **GEOMETRY, **volts, table=table)
    assert tabled.data["electron_density"].values == pytest.approx(built_in.data["electron_density"].values, rel=1e-4)
    assert set(tabled.data["phase"].values.tolist()) == {"exciton insulator"}


def test_two_phases_of_a_table_meet_by_maxwells_construction() -> None:
    """Pairs in two phases, -0.2 n + 20 n^2 and -0.1 n + n^2: n jumps where Omega is equal."""
    k = float(STACK.stiffness.sum())
    n = np.linspace(0.0, 0.04, 41)[1:]
    dilute, dense = -0.2 * n + 20 * n**2, -0.1 * n + n**2
    rows = Rows.of({"n": np.append(n, n), "f": np.append(dilute, dense), "phase": np.repeat(["gas", "crystal"], 40)})
    sheets = rows.sheets()

    def state(w: float) -> Any:
        return ground(sheets, STACK.stiffness, np.array([[w / 2, w / 2]]))

    # (w + 0.2)/sqrt(40 + k) = (w + 0.1)/sqrt(2 + k)
    ratio = math.sqrt((40 + k) / (2 + k))
    jump = (0.2 - 0.1 * ratio) / (ratio - 1)
    below, above = state(jump - 1e-5), state(jump + 1e-5)
    assert below.n[0, 0] == pytest.approx((jump - 1e-5 + 0.2) / (40 + k), rel=1e-6)
    assert above.n[0, 0] == pytest.approx((jump + 1e-5 + 0.1) / (2 + k), rel=1e-6)
    assert above.omega[0] == pytest.approx(below.omega[0], rel=2e-3)


def test_csv_files_have_units(tmp_path: Path) -> None:
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm")
    path = tmp_path / "f.csv"
    path.write_text("# of a Monte Carlo run\nn_e (cm^-2), n_h [cm^-2], energy per pair (meV), phase\n"
                    "1e11, 1e11, -60, exciton\n2e11, 2e11, -61, exciton\n", encoding="utf-8")
    rows = read_rows(path, device.scales)
    assert rows.electron * 1e14 / device.scales.bohr_radius_nm**2 == pytest.approx([1e11, 2e11], rel=1e-12)
    assert rows.f / rows.hole * device.scales.hartree_meV == pytest.approx([-60, -61], rel=1e-12)
    path.write_text("bias (V), n_x (cm^-2)\n1.6, 1e11\n1.7, 5e11\n", encoding="utf-8")
    bias, density = read_measured(path, device.scales)
    assert bias * device.scales.hartree_meV == pytest.approx([1600, 1700], rel=1e-12) and density[1] > density[0]


@pytest.mark.parametrize(("text", "words"), [
    ("", "no rows"), ("n_e,n_h,f\n1,2\n", "3 values"), ("n_e,n_h,f\n1,2,x\n", "x in line 2"),
    ("n_e,n_h,f,wrong\n1,1,1,1\n", "wrong"), ("n_e,n_h\n1,1\n", "give f"), ("n_e,n_h,f\n-1,1,1\n", ">= 0"),
    ("n_e,n_h,f\n0,0,1\n", "f = 0"), ("n_e,n_h,f\n1,1,1\n1,1,2\n", "two at"), ("n_e,n_h,f\n1,1,nan\n", "finite"),
    ("n_e (apples),n_h,f\n1,1,1\n", "unit"), ("n_e,n_h,f\n1,1,1\n2,2,1\n", "at least 4"),
    ("n_e,n_e,f\n1,1,1\n", "different names")])
def test_bad_tables_are_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        gates(HEAVY, **GEOMETRY, table=path, bias=0.9)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("given", "words"), [
    ({"gap": None}, "gap"), ({"gate_top": None, "gate_bottom": None}, "gate"), ({"gate_top": 0.0}, "outside"),
    ({"gate_top": -1.0}, "outside"), ({"dielectric_top": 2.0}, "dielectric"), ({"bias": [1.0, 0.5]}, "rise"),
    ({"top": 0.1, "common": 0.1}, "common"), ({"bias": None}, "bias"), ({"ground": "roof"}, "middle"),
    ({"gate_top": None, "top": 0.3}, "gate_top"), ({"equation": "exact"}, "mean-field"), ({"spin": "up"}, "polarized"),
    ({"points": 1, "bias": [0.1, 0.2]}, "points"), ({"bias": "0.5 V"}, "atomic units"), ({"bias": "1 nm"}, "voltage"),
    ({"bias": [0.7, 0.8], "common": [0.0, 1.0], "difference": [0.0, 1.0]}, "two axes"),
    ({"bias": 1e6}, "hold less"), ({"table": kinked(), "bias": 5.0}, "extend the table"),
    ({"measured": "nowhere.csv"}, "measured"), ({"bias": math.nan}, "finite")])
def test_bad_input_is_one_line(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        gates(HEAVY, **({"bias": 0.9} | GEOMETRY | given))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_epsilon_below_1_and_screening_said_twice() -> None:
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm")
    with pytest.raises(InputError, match=">= 1"):
        gates(device, gap="1.5 eV", gate_top="10 nm", dielectric_spacer=0.5, bias="1 V")
    gated = Bilayer.of("WSe2/hBN/MoSe2", spacing="3 nm", screening={"gate_top": "10 nm", "gate_bottom": "10 nm"})
    with pytest.raises(InputError, match="once, in screening"):
        gates(gated, gap="1.5 eV", gate_top="20 nm", equation="liquid", bias="1 V")
    found = gates(gated, gap="1.5 eV", equation="liquid", bias="1.6 V", ground="middle")
    assert found.here is not None and found.here.phase == "plasma"


@pytest.mark.published
def test_gates_that_screen_count_once() -> None:
    """v(0) of the interaction is the capacitors' K: e V - E_g is mu of a pair, which holds it."""
    gated = Bilayer.of(spacing=2.0, electron_mass=1.0, hole_mass=1.0, hole_density=0.004, electron_flavours=1,
                       hole_flavours=1, interaction=Screened(2.0, 1.0, 1.0, 6.0, 9.0))
    state = ehbilayer.condensate(gated, curve_points=0)
    found = gates(gated, gap=1.0, bias=1.0 + state.chemical_potential, ground="middle")
    assert found.here is not None and found.here.hole_density == pytest.approx(0.004, rel=1e-5)
    binding = ehbilayer.few_body(gated, "exciton").binding_energy
    assert found.threshold == pytest.approx(1.0 - binding, rel=1e-5)
    plasma = Bilayer.of(spacing=2.0, electron_mass=0.5, hole_mass=1.0, hole_density=0.02,
                        interaction=Screened(2.0, 1.0, 1.0, 6.0, 9.0))
    liquid = ehbilayer.liquid(plasma, curve_points=0)
    n = np.array([0.02, 0.02])
    mu = [liquid.chemical_potential[name] for name in ("electron", "hole")]
    w = np.array(mu) + Stack(6.0, 2.0, 9.0, 1.0, 0.5).stiffness @ n  # w_e = c - 1/2 + V/2, w_h = -c - 1/2 + V/2
    one = gates(plasma, gap=1.0, equation="liquid", ground="middle", bias=1.0 + w.sum(), common=(w[0] - w[1]) / 2).here
    assert one is not None and [one.electron_density, one.hole_density] == pytest.approx(n, rel=1e-6)


def test_carrier_sheets_know_their_phases() -> None:
    u = np.linspace(0.0, 0.2, 20)
    gas = Curve(u, np.pi * u**2)
    sheets = [carrier_sheet(gas, gas, 0.2)]
    found = ground(sheets, STACK.stiffness, np.array([[-0.1, -0.1], [0.2, -0.5], [-0.5, 0.2], [0.2, 0.2]]))
    assert found.phases(sheets).tolist() == ["empty", "electrons", "holes", "plasma"]
