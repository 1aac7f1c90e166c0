"""The interaction of a real device: limits, images, sheets, thickness, real space, lattices, and the torus."""

import math

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.special import k0, struve, y0

from ehbilayer import Bilayer, Coulomb, InputError, Screened, Torus
from ehbilayer.interaction.area_derivative import AreaDerivative
from ehbilayer.results.base import Result
from ehbilayer.run import runner
from ehbilayer.studies.bilayer import bilayer_at
from ehbilayer.studies.device.question import study_of
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from ehbilayer.studies.task import prepare

Q = np.geomspace(1e-3, 30.0, 60)
PAIRS = ((0, 0), (0, 1), (1, 1))
HEXAGON = np.array([[14.0, 0.0], [7.0, 12.1]])
# hexagonal BN, sheets of MoSe2 and WSe2, gates at different distances, layers of finite thickness
DEVICES = {
    "bn": Screened(4.0, 6.93, 3.76), "gates": Screened(4.0, gate_top=12.0, gate_bottom=7.0),
    "one gate": Screened(4.0, gate_bottom=7.0), "sheets": Screened(4.0, 6.93, 3.76, None, None, 42.0, 36.0),
    "all": Screened(4.0, 6.93, 3.76, 13.0, 13.0, 42.0, 36.0),
    "thick": Screened(4.0, 2.0, 1.0, 5.0, None, 9.0, 0.0, 2.5)}


def solved(device: Screened, q: float, points: int = 4000) -> np.ndarray:
    """v_ab(q) of point layers from Poisson's equation across the medium and the sheets, by matching at each height.

    eps_z phi'' = eps_xy q^2 phi; the slope jumps by -4 pi kappa/.. at a charge and by 2 r q^2 phi at a sheet.
    """
    exy, ez, far = device.dielectric_in_plane, device.dielectric_out_of_plane, 60 / q
    s = np.sqrt(exy / ez)
    top = device.gate_top if device.gate_top is not None else far
    bottom = device.gate_bottom if device.gate_bottom is not None else far
    heights, r = (0.0, -device.spacing), (device.sheet_electron, device.sheet_hole)
    # potentials at both layers; fluxes eps_z phi' from the three regions between gates and layers
    def ends(length: float) -> float:
        return ez * s * q / np.tanh(s * q * length)
    between, across = ends(device.spacing), ez * s * q / np.sinh(s * q * device.spacing)
    matrix = np.array([[ends(top) + between + 2 * r[0] * q * q, -across],
                       [-across, ends(bottom) + between + 2 * r[1] * q * q]])
    assert heights[0] > heights[1]
    return 4 * np.pi * device.kappa * np.linalg.inv(matrix)


@pytest.mark.parametrize("name", ["bn", "gates", "one gate", "sheets", "all"])
def test_v_solves_the_electrostatics_of_the_stack(name: str) -> None:
    device = DEVICES[name]
    for q in (0.02, 0.3, 2.0):
        expected = solved(device, q)
        for a, b in PAIRS:
            assert device.v(np.array([q]), a, b)[0] == pytest.approx(expected[a, b], rel=1e-11)


@pytest.mark.parametrize(("device", "distance"), [
    (Screened(4.0), 4.0), (Screened(4.0, 3.0, 3.0), 4.0), (Screened(4.0, 8.0, 2.0), 8.0),
    (Screened(4.0, 1, 1, 1e14, 1e14), 4.0), (Screened(4.0, 1, 1, None, None, 1e-14, 1e-14, 1e-14), 4.0)])
def test_limits_are_coulomb(device: Screened, distance: float) -> None:
    coulomb = Coulomb(distance)
    for a, b in PAIRS:
        assert device.v(Q, a, b) == pytest.approx(coulomb.v(Q, a, b), rel=1e-12)
        assert device.zero_mode(HEXAGON, a, b) == pytest.approx(coulomb.zero_mode(HEXAGON, a, b), rel=1e-12)
        r = np.geomspace(1e-2, 1e2, 20)
        assert device.real_space(r, a, b) == pytest.approx(coulomb.real_space(r, a, b), rel=1e-12)
    assert not device.finite or device.gate_top


def test_no_gates_within_the_layers_of_coulomb() -> None:
    for a, b in PAIRS:
        assert DEVICES["bn"].long_wave(a, b) == pytest.approx(Coulomb(4 * np.sqrt(6.93 / 3.76)).long_wave(a, b))


def test_a_symmetric_double_gate_is_its_image_series() -> None:
    d, g = 3.0, 6.0
    device, cavity = Screened(d, gate_top=g, gate_bottom=g), 2 * g + d
    n = np.arange(-400, 401)
    heights = {0: g + d, 1: g}  # above the bottom gate
    for a, b in PAIRS:
        z, w = heights[a], heights[b]
        for q in (0.05, 0.4, 2.0):
            # sum_n e^{-q|z - w - 2nL|} - e^{-q|z + w - 2nL|}
            terms = np.exp(-q * np.abs(z - w - 2 * n * cavity)) - np.exp(-q * np.abs(z + w - 2 * n * cavity))
            assert device.v(np.array([q]), a, b)[0] == pytest.approx(2 * np.pi / q * terms.sum(), rel=1e-12)
        # modes across the cavity: v(r) = (4/L) sum_n sin sin K_0(n pi r/L)
        m, r = np.arange(1, 60), np.array([4.0, 20.0, 60.0])
        modes = np.sin(m * np.pi * z / cavity) * np.sin(m * np.pi * w / cavity)
        expected = 4 / cavity * k0(np.multiply.outer(r, m * np.pi / cavity)) @ modes
        assert device.real_space(r, a, b) == pytest.approx(expected, rel=1e-9, abs=1e-13)


def test_one_sheet_in_vacuum_is_the_keldysh_potential() -> None:
    r0 = 10.0
    sheet, r = Screened(0.0, sheet_hole=r0), np.geomspace(1e-3, 1e3, 40)
    assert sheet.v(Q, 1, 1) == pytest.approx(2 * np.pi / (Q * (1 + r0 * Q)), rel=1e-13)
    # (pi/2 r0) [H_0(r/r0) - Y_0(r/r0)]
    near = r < 20 * r0  # beyond, the two functions cancel
    exact = np.pi / (2 * r0) * (struve(0, r[near] / r0) - y0(r[near] / r0))
    assert sheet.real_space(r[near], 1, 1) == pytest.approx(exact, rel=1e-11)
    # and in a medium the vacuum length counts over kappa
    medium = Screened(0.0, 6.93, 3.76, sheet_hole=r0 * np.sqrt(6.93 * 3.76))
    assert medium.v(Q, 1, 1) == pytest.approx(sheet.v(Q, 1, 1), rel=1e-13)


def test_thickness_spreads_the_charge_over_the_layer() -> None:
    device, thin, s = DEVICES["thick"], Screened(4.0, 2.0, 1.0, 5.0), np.sqrt(2.0)
    bare = Screened(4.0, 2.0, 1.0, 5.0, layer_thickness=2.5)
    for q in (0.02, 0.35, 4.0):
        def green(z: float, w: float, q: float = q) -> float:
            # one metal plane 5 above the upper layer, heights below it
            return float(2 * np.pi / q * (np.exp(-q * s * abs(z - w)) - np.exp(-q * s * (z + w))))
        for a, b in PAIRS:
            z, w = 5.0 + 4.0 * a, 5.0 + 4.0 * b
            lower = 2 * dblquad(green, z - 1.25, z + 1.25, w - 1.25, lambda x: x)[0] if a == b else \
                dblquad(green, z - 1.25, z + 1.25, w - 1.25, w + 1.25)[0]
            assert bare.v(np.array([q]), a, b)[0] == pytest.approx(lower / 2.5**2, rel=1e-8)
    assert np.all(device.v(Q, 0, 0) < bare.v(Q, 0, 0)) and np.all(bare.v(Q, 0, 0) < thin.v(Q, 0, 0))


@pytest.mark.parametrize("name", list(DEVICES))
def test_long_waves_and_the_sum_of_gaussians(name: str) -> None:
    device = DEVICES[name]
    for a, b in PAIRS:
        c, h = device.long_wave(a, b)
        q = np.array([1e-6, 2e-6])
        rest = device.v(q, a, b) - c / q - h
        assert c == (0.0 if "gate" in name or name in ("all", "thick") else 2 * np.pi)
        assert abs(2 * rest[0] - rest[1]) < 1e-6 and abs(rest[0]) < 1e-2  # O(q)
        summed = device.heat_kernel(a, b).fourier(Q)
        assert np.abs(summed - device.v(Q, a, b)).max() < 1e-11 * np.abs(device.v(Q, a, a)).max()
        assert np.all(np.abs(summed - device.v(Q, a, b)) < 1e-12 * 2 * np.pi / Q)


@pytest.mark.parametrize("name", ["gates", "all", "thick"])
def test_the_zero_mode_is_v_less_the_images(name: str) -> None:
    """sum_{R != 0} v(R) summed as it stands, for a potential that falls fast enough."""
    device = DEVICES[name]
    device = Screened(device.spacing, device.dielectric_in_plane, device.dielectric_out_of_plane, 5.0, 6.0,
                      device.sheet_electron / 10, device.sheet_hole / 10, device.layer_thickness)
    n = np.arange(-30, 31)
    cells = np.stack(np.meshgrid(n, n), axis=-1).reshape(-1, 2)
    far = np.linalg.norm(cells[np.any(cells != 0, axis=1)] @ HEXAGON, axis=1)
    area = abs(np.linalg.det(HEXAGON))
    for a, b in PAIRS:
        expected = device.long_wave(a, b)[1] / area - device.real_space(far, a, b).sum()
        assert device.element("madelung", HEXAGON, a, b) == pytest.approx(expected, rel=1e-10)
        assert device.element("none", HEXAGON, a, b) == pytest.approx(device.long_wave(a, b)[1] / area)
        # wider boxes know nothing of images
        wide = 20 * HEXAGON
        assert device.element("madelung", wide, a, b) == pytest.approx(device.element("none", wide, a, b), rel=1e-9)


@pytest.mark.parametrize("name", list(DEVICES))
@pytest.mark.parametrize("zero_mode", ["none", "madelung"])
def test_derivatives_by_the_area(name: str, zero_mode: str) -> None:
    device, step = DEVICES[name], 1e-3
    first, second = (AreaDerivative(device, order) for order in (1, 2))
    for a, b in PAIRS:
        def at(t: float, a: int = a, b: int = b) -> np.ndarray:
            # of v/A and the element, at lnA = t from A = 1
            return np.append(device.v(Q * np.exp(-t / 2), a, b) * np.exp(-t),
                             device.element(zero_mode, HEXAGON * np.exp(t / 2), a, b))
        one = np.append(first.v(Q, a, b), first.element(zero_mode, HEXAGON, a, b))
        two = np.append(second.v(Q, a, b), second.element(zero_mode, HEXAGON, a, b))
        scale = np.abs(at(0.0)) * (1 + np.append(Q, 0) * 8) ** 2
        assert np.all(np.abs((at(step) - at(-step)) / (2 * step) - one) <= 1e-6 * scale + 1e-12)
        assert np.all(np.abs((at(step) - 2 * at(0.0) + at(-step)) / step**2 - two) <= 1e-5 * scale + 1e-9)


def test_charged_layers_between_gates_and_without() -> None:
    # plates alone: 2 pi d n^2 with s d, whatever the sheets
    sheets, gates = DEVICES["sheets"], DEVICES["gates"]
    assert sheets.charging([(0, -3.0), (1, 3.0)], 10.0) == pytest.approx(
        2 * np.pi * sheets.stretch * 4.0 * 9 / 10.0)
    # between grounded metal a charge Q_0 alone sees two capacitors in parallel, eps/4 pi of each per distance
    assert gates.charging([(0, 2.0)], 1.0) == pytest.approx(0.5 * 4 * 4 * np.pi / (1 / 12 + 1 / 11))
    box = Torus(Bilayer.of(rs_hole=8, electron_mass=0.5, hole_mass=1.0, interaction=gates), holes=4, zero_mode="none")
    assert box.charged and box.capacitor_energy == pytest.approx(gates.charging([(0, -4.0), (1, 4.0)], box.area))


@pytest.mark.parametrize(("wrong", "argument"), [
    ({"spacing": -1.0}, "spacing"), ({"dielectric_in_plane": 0.5}, "dielectric_in_plane"),
    ({"dielectric_out_of_plane": float("nan")}, "dielectric_out_of_plane"), ({"gate_top": 0.0}, "gate_top"),
    ({"gate_bottom": -2.0}, "gate_bottom"), ({"gate_top": 0.4, "layer_thickness": 1.0, "spacing": 3.0}, "gate_top"),
    ({"sheet_electron": -1.0}, "sheet_electron"), ({"sheet_hole": float("inf")}, "sheet_hole"),
    ({"layer_thickness": -1.0}, "layer_thickness"), ({"layer_thickness": 2.0, "spacing": 1.0}, "layer_thickness")])
def test_impossible_devices_are_refused_by_name(wrong: dict[str, float], argument: str) -> None:
    with pytest.raises(InputError, match=f"^{argument}: must be"):
        Screened(**wrong)


def test_a_third_layer_is_refused() -> None:
    with pytest.raises(InputError, match="layer"):
        Screened(1.0).v(Q, 0, 2)


# -- study files and devices --

STACK = {"kind": "hartree-fock", "bilayer": {"material": "WSe2/hBN/MoSe2", "spacer": "hBN, 9 layers"},
         "density": {"hole": "0.5e12 cm^-2", "electrons_per_hole": 1},
         "cell": {"holes": 4, "hexagon": 4, "zero_mode": "madelung"}, "hartree-fock": {"electron_spin": "polarized"}}


def with_keys(**tables: dict[str, object]) -> dict[str, object]:
    return STACK | {name: dict(STACK.get(name, {})) | more for name, more in tables.items()}


def test_a_study_says_what_python_says() -> None:
    study = make_study(with_keys(screening={"gate_top": "10 nm", "sheet_hole": "4 nm", "layer_thickness": "0.6 nm"}))
    said = Bilayer.of("WSe2/hBN/MoSe2", spacing="2.997 nm", hole_density="0.5e12 cm^-2",
                      screening={"gate_top": "10 nm", "sheet_hole": "4 nm", "layer_thickness": "0.6 nm"})
    read = bilayer_at(study, {"electron": 0.1, "hole": 0.1})
    assert read.interaction == said.interaction and isinstance(said.interaction, Screened)
    assert read.scales == said.scales and said.scales.dielectric == pytest.approx(np.sqrt(6.93 * 3.76))
    assert said.scales.length_nm(said.interaction.gate_top) == pytest.approx(10)
    assert said.scales.length_nm(said.interaction.sheet_electron) == pytest.approx(5.2)  # of the stack
    # Coulomb's interaction in the same BN, and an isotropic medium in place of the stack's
    plain = bilayer_at(make_study(with_keys(bilayer={"interaction": "coulomb"})), {"electron": 0.1, "hole": 0.1})
    assert plain.interaction == Coulomb(read.spacing) and plain.scales == read.scales
    other = bilayer_at(make_study(with_keys(bilayer={"dielectric": 4.0})), {"electron": 0.1, "hole": 0.1})
    assert isinstance(other.interaction, Screened) and other.scales.dielectric == 4.0
    assert (other.interaction.kappa, other.interaction.stretch) == (4.0, 1.0)


def test_a_result_says_that_v0_is_physics(tmp_path) -> None:
    result = runner.run(make_study(with_keys(screening={"gate_top": "10 nm", "gate_bottom": "8 nm"})))
    result.save(tmp_path / "r.nc")
    kept = Result.load(tmp_path / "r.nc")
    told = kept.inputs["interaction"]
    assert told["finite_v0"] and told["gate_bottom"] < told["gate_top"]
    assert "v(0) is finite and in every term" in dict(rows(kept))["interaction"]
    open_ended = runner.run(make_study(with_keys()))
    assert not open_ended.inputs["interaction"]["finite_v0"] and "v(0)" not in dict(rows(open_ended))["interaction"]


@pytest.mark.parametrize(("more", "message"), [
    ({"screening": {"gate_top": "-1 nm"}}, r"screening\.gate_top: must be a length > 0"),
    ({"screening": {"gate_bottom": "0 nm"}}, r"screening\.gate_bottom: must be a length > 0"),
    ({"screening": {"gate_top": "0.2 nm", "layer_thickness": "0.6 nm"}}, r"screening\.gate_top: .*outside the layers"),
    ({"screening": {"dielectric_in_plane": 0.5}}, r"screening\.dielectric_in_plane: must be a relative .* >= 1"),
    ({"screening": {"dielectric_in_plane": 2.0}, "bilayer": {"material": "WSe2/MoSe2", "interaction": "screened"}},
     r"screening\.dielectric_out_of_plane: must be given"),
    ({"screening": {"dielectric_in_plane": 2.0, "dielectric_out_of_plane": 2.0}, "bilayer": {"dielectric": 3.0}},
     r"bilayer\.dielectric: must be absent where screening"),
    ({"screening": {"sheet_hole": "-1 nm"}}, r"screening\.sheet_hole: must be a finite length >= 0"),
    ({"screening": {"layer_thickness": "5 nm"}}, r"screening\.layer_thickness: must be no more than the spacing"),
    ({"screening": {"gate_top": "1 m"}}, r"screening\.gate_top: must be a length up to"),
    ({"screening": {"gate_top": "10 nm"}, "bilayer": {"material": "WSe2/MoSe2"}}, r"bilayer\.interaction: .*screened"),
    ({"screening": {"gate_top": "10 nm"}, "bilayer": {"capacitor": True}}, r"bilayer\.capacitor: must be absent"),
    ({"bilayer": {"spacer": "BN, 5"}}, r"bilayer\.spacer: must be layers of BN"),
    ({"bilayer": {"spacing": "3 nm"}}, r"bilayer\.spac")])
def test_bad_screening_is_one_line(more: dict[str, dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as error:
        runner.run(make_study(with_keys(**more)))
    assert "\n" not in str(error.value)


def test_what_cannot_yet_refuses_by_name() -> None:
    study = {"kind": "pairing", "bilayer": STACK["bilayer"] | {"electron_mass": 0.1}, "density": {"rs_electron": 2.0},
             "pairing": {"alpha": 0.3}}
    with pytest.raises(InputError, match="interaction: must be coulomb for pairing by plasmons"):
        runner.run(make_study(study))


@pytest.mark.parametrize(("gates", "sheets", "expected"), [
    ("10 nm", None, {"gate_top": "10 nm", "gate_bottom": "10 nm"}), ("10 nm, none", None, {"gate_top": "10 nm"}),
    (None, "5.2 nm, 4.5 nm", {"sheet_electron": "5.2 nm", "sheet_hole": "4.5 nm"}), ("12", None, {
        "gate_top": 12.0, "gate_bottom": 12.0})])
def test_gates_and_sheets_on_the_command_line(gates, sheets, expected) -> None:
    study = study_of({"material": "WSe2/MoSe2", "spacing": "3 nm"}, "1e12 cm^-2", "1", {}, [], gates=gates,
                     sheets=sheets)
    assert study.bilayer.interaction == "screened"
    assert {k: v for k, v in study.screening.model_dump().items() if v is not None} == expected
    with pytest.raises(InputError, match="--gates: must be one length"):
        study_of({}, None, "1", {}, [], gates="1 nm, 2 nm, 3 nm")


@pytest.mark.parametrize("key", ["spacing", "dielectric_in_plane", "dielectric_out_of_plane", "gate_top", "gate_bottom",
                                 "sheet_electron", "sheet_hole", "layer_thickness"])
@pytest.mark.parametrize("value", ["10 nm", math.nan, math.inf, -1.0, True, np.array([1.0, 2.0]), 1j, [1.0]])
def test_bad_numbers_from_python_are_one_line(key: str, value: object) -> None:
    with pytest.raises(InputError, match=f"^{key}: must be") as error:
        Screened(**({"spacing": 4.0} | {key: value}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("given", "message"), [
    ({"screening": 5}, "screening: must be a Screening or a Mapping"),
    ({"screening": "10 nm"}, "screening: must be a Screening or a Mapping"),
    ({"screening": {"gate_tp": "3 nm"}}, "screening: must be a table of"),
    ({"screening": {"gate_top": True}}, "gate_top: must be a finite length"),
    ({"screening": {"gate_top": "3 meV"}}, "gate_top: must be a number with a unit of length"),
    ({"screening": {"dielectric_in_plane": "two"}}, "dielectric_in_plane: must be a relative dielectric constant"),
    ({"screening": {"gate_bottom": "0.1 nm", "layer_thickness": "0.6 nm"}}, "gate_bottom: must be .* outside"),
    ({"interaction": "screened"}, "interaction: must be a Interaction"),
    ({"interaction": Screened}, "interaction: must be a Interaction")])
def test_bad_devices_from_python_are_one_line(given: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as error:
        Bilayer.of("WSe2/hBN/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2", **given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["liquid", "condensate", "crystal", "phonons", "compressibility", "phases"])
def test_a_capacitor_and_gates_contradict_each_other(kind: str) -> None:
    study = {"kind": kind, "bilayer": STACK["bilayer"] | {"capacitor": True}, "density": STACK["density"],
             "screening": {"gate_top": "10 nm"}} | {
        "condensate": {"condensate": {"limit": "thermodynamic"}}, "phonons": {"crystal": {"structure": "triangular"}},
        "compressibility": {"cell": {"holes": 4, "zero_mode": "none"}}, "phases": {"cell": {
            "holes": 4, "zero_mode": "none"}}}.get(kind, {})
    with pytest.raises(InputError, match=r"^bilayer\.capacitor: must be absent with gates"):
        prepare(make_study(study))
