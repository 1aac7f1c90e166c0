"""Excitons and trions in a screened interaction: limits, the radial equation against Gaussians, single layers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import eigh

from ehbilayer import Bilayer, InputError, Screened, few_body
from ehbilayer.few_body.basis import Basis
from ehbilayer.few_body.complexes import make_complex
from ehbilayer.few_body.exciton import solve_exciton, solve_pair
from ehbilayer.few_body.gaussians import Charges, Functions, elements, slopes
from ehbilayer.few_body.means import CoulombMean, TabulatedMean, mean_of
from ehbilayer.few_body.threshold import critical_spacing, outer_radius
from ehbilayer.few_body.variational import Options, minimise
from ehbilayer.results.base import Result
from ehbilayer.run import runner
from ehbilayer.studies.file import make_study

DEVICE = Screened(4.4, 6.93, 3.76, 14.8, 14.8, 7.7 * 5.1, 6.7 * 5.1)
KELDYSH = Screened(0.0, sheet_hole=10.0)
THICK = Screened(3.0, 4.0, 2.0, 6.0, None, 12.0, 3.0, 1.5)


@pytest.mark.parametrize("interaction", [DEVICE, KELDYSH, THICK], ids=["device", "keldysh", "thick"])
@pytest.mark.parametrize("mass", [0.3, 2.0])
def test_the_radial_equation_agrees_with_gaussians(interaction: Screened, mass: float) -> None:
    """v(r) on a grid, and averages of v over Gaussians: two ways that share nothing but the sum of Gaussians of v."""
    x = solve_exciton(mass, interaction.spacing, interaction)
    system = Charges((mass, 1.0), (-1, 1), (0, 1), interaction.spacing, interaction=interaction)
    widths = np.geomspace(2e-3 / x.mean_square, 3e4 / x.mean_square, 46)
    overlap, hamiltonian = elements(system, *[Functions(widths[:, None, None], np.zeros((46, 1)))] * 2)
    scale = 1 / np.sqrt(np.diag(overlap))
    s, u = np.linalg.eigh(overlap * np.outer(scale, scale))
    kept = u[:, s > 1e-13] / np.sqrt(s[s > 1e-13])
    energy = eigh(kept.T @ (hamiltonian * np.outer(scale, scale)) @ kept, eigvals_only=True)[0]
    assert energy == pytest.approx(x.energy, rel=1e-8) and energy > x.energy * (1 + 1e-9)


def test_screening_that_is_none_is_coulomb() -> None:
    for spacing, s in ((1.0, 1.0), (1.0, 2.0), (0.0, 1.0)):
        plain = Screened(spacing, 2 * s, 2 / s)
        exact = solve_exciton(0.5, s * spacing)
        assert solve_exciton(0.5, spacing, plain).energy == exact.energy
        far = replace(plain, gate_top=1e12, sheet_hole=1e-13)
        assert far.coulomb_distance(0, 1) is None
        assert solve_exciton(0.5, spacing, far).energy == pytest.approx(exact.energy, rel=1e-9)


def test_tabulated_averages_are_coulombs() -> None:
    c = np.geomspace(1e-8, 1e8, 200)
    kernel = Screened(1.3).heat_kernel(0, 1)
    table, exact = TabulatedMean.of(kernel.t, kernel.weight), CoulombMean(1.3)
    f = exact.value(c)
    assert table.value(c) == pytest.approx(f, rel=1e-12)
    large = c > 1e-2  # Coulomb's closed form cancels for small c
    assert table.slope(c, f)[large] == pytest.approx(exact.slope(c, f)[large], rel=1e-9)
    assert table.square(c, f)[large] == pytest.approx(exact.square(c, f)[large], rel=1e-9)
    g = exact.slope(c, f)
    assert table.square_slope(c, f, g)[c > 1] == pytest.approx(exact.square_slope(c, f, g)[c > 1], rel=1e-8)
    assert isinstance(mean_of(Screened(1.0, 4.0, 1.0), 1.0, 0, 1), CoulombMean)


@pytest.mark.parametrize("momentum", [0, 1])
def test_slopes_of_a_trion(momentum: int) -> None:
    rng = np.random.default_rng(2)
    system = Charges((1.5, 1.5, 1.0), (-1, -1, 1), (0, 0, 1), DEVICE.spacing, ((0, 1),), (1 - 2 * momentum,), momentum,
                     DEVICE)
    root = rng.normal(size=(5, 2, 2))
    functions = Functions(0.3 * root @ np.swapaxes(root, 1, 2) + 0.6 * np.eye(2), rng.normal(size=(5, 2)))
    basis, h = Basis.of(system, functions), 1e-5
    slope = slopes(system, functions, basis.coefficients, basis.energy)
    step = rng.normal(size=functions.widths.shape)
    change = Functions(step + np.swapaxes(step, 1, 2), rng.normal(size=functions.vectors.shape))
    ends = [Basis.of(system, Functions(functions.widths + s * change.widths,
                                       functions.vectors + s * change.vectors)).energy for s in (h, -h)]
    exact = (slope.widths * change.widths).sum() + (slope.vectors * change.vectors).sum()
    assert abs(exact) > 1e-3 and (ends[0] - ends[1]) / (2 * h) == pytest.approx(exact, rel=1e-6)


def test_a_weak_well_is_followed_to_its_tail() -> None:
    """Gates close by leave a shallow well of short range, whose state reaches far: ln|E| = -2/(mu int v r dr)."""
    energies = []
    for mu in (0.4, 0.3, 0.2):
        x = solve_pair(mu, 1.0, Screened(1.0, gate_top=0.5, gate_bottom=0.5))
        assert x.energy < 0 and x.radii[-1] > 40 / math.sqrt(-2 * mu * x.energy)
        energies.append(math.log(-mu * x.energy))
    # int v r dr = v(0)/2 pi = 2 t b/L; ln|mu E| = -1/(mu int v r dr) + const as mu falls
    slope = (energies[2] - energies[1]) / (1 / 0.2 - 1 / 0.3)
    assert slope == pytest.approx(-1 / (2 * 0.5 * 0.5 / 2.0), rel=0.05)
    with pytest.raises(InputError, match="gate_top: must be farther"):
        solve_pair(0.01, 1.0, Screened(1.0, gate_top=0.05, gate_bottom=0.05))


def monolayer(mass: float, chi: float) -> Bilayer:
    """One layer in vacuum: both carriers in it, r_0 = 2 pi chi (angstrom)."""
    return Bilayer.of(electron_mass=mass, hole_mass=mass, dielectric=1.0,
                      screening={"sheet_hole": f"{2 * math.pi * chi} angstrom"})


# reduced masses and polarisabilities of Berkelbach, Hybertsen and Reichman, PRB 88, 045318 (2013); binding energies of
# diffusion Monte Carlo, Mayers et al., PRB 92, 161404 (2015), in meV: all remembered, not read anew
MONOLAYERS = {"MoS2": (0.25, 6.60, 551.4, 33.8), "MoSe2": (0.27, 8.23, 477.8, 28.4), "WS2": (0.16, 6.03, 519.1, 34.0),
              "WSe2": (0.17, 7.18, 470.2, 29.5)}


@pytest.mark.parametrize("name", list(MONOLAYERS))
def test_published_excitons_of_monolayers(name: str) -> None:
    mu, chi, exciton, _ = MONOLAYERS[name]
    found = few_body(monolayer(2 * mu, chi), "exciton")
    assert found.binding_energy.to("meV") == pytest.approx(exciton, rel=0.01)


@pytest.mark.published
@pytest.mark.parametrize("name", list(MONOLAYERS))
def test_published_trions_of_monolayers(name: str) -> None:
    mu, chi, _, trion = MONOLAYERS[name]
    found = few_body(monolayer(2 * mu, chi), "trion-", tolerance=1e-5)
    assert found.bound and found.binding_energy.to("meV") == pytest.approx(trion, rel=0.02)


# reduced mass (m0), r_0 (nm), kappa and binding energy (meV) of monolayers in hBN, from magnetic fields up to 91 T and
# the potential of Rytova and Keldysh: Goryca et al., Nat. Commun. 10, 4172 (2019); WSe2: Stier et al., PRL 120, 057405
# (2018). Abstracts read (WSe2: m = 0.20(1)), tables remembered; each row has a number more than it needs.
ENCAPSULATED = {"MoS2": (0.275, 3.4, 4.45, 221), "MoSe2": (0.350, 3.9, 4.4, 231), "WS2": (0.175, 3.4, 4.35, 180),
                "WSe2": (0.20, 4.5, 4.5, 161), "MoTe2": (0.36, 6.4, 4.4, 177)}


@pytest.mark.parametrize("name", list(ENCAPSULATED))
def test_published_excitons_of_layers_in_boron_nitride(name: str) -> None:
    mass, length, kappa, published = ENCAPSULATED[name]
    layer = Bilayer.of(electron_mass=2 * mass, hole_mass=2 * mass, dielectric=kappa,
                       screening={"sheet_hole": f"{length} nm"})
    assert few_body(layer, "exciton").binding_energy.to("meV") == pytest.approx(published, rel=0.01)


def test_what_screens_the_exciton_of_wse2_mose2() -> None:
    """The first look at 3 nm: 62 meV in a dielectric constant of 4.7, 22 with BN, sheets and gates at 10 nm."""
    def binding(material: str, **screening: str) -> float:
        return few_body(Bilayer.of(material, spacing="3 nm", screening=screening or None), "exciton"
                        ).binding_energy.to("meV")

    assert binding("WSe2/MoSe2") == pytest.approx(62.01, abs=0.01)
    sheets, gates = binding("WSe2/hBN/MoSe2"), binding("WSe2/hBN/MoSe2", gate_top="10 nm", gate_bottom="10 nm")
    assert sheets == pytest.approx(33.24, abs=0.01) and gates == pytest.approx(22.07, abs=0.01)


@pytest.mark.published
def test_what_screens_the_trion_of_wse2_mose2() -> None:
    """One electron and two holes at 2 nm: 1.06 meV in a dielectric constant of 4.7, half of it in the whole device."""
    gates = {"gate_top": "10 nm", "gate_bottom": "10 nm"}
    for material, screening, expected in (("WSe2/MoSe2", None, 1.062), ("WSe2/hBN/MoSe2", gates, 0.490)):
        found = few_body(Bilayer.of(material, spacing="2 nm", screening=screening), "trion+", tolerance=1e-6)
        assert found.bound and found.binding_energy.to("meV") == pytest.approx(expected, abs=1e-3)


def test_a_study_is_the_call_and_its_file_knows_the_interaction(tmp_path) -> None:
    study = make_study({"kind": "few-body", "bilayer": {"material": "WSe2/hBN/MoSe2", "spacer": "hBN, 9 layers"},
                        "screening": {"gate_top": "10 nm"}, "few-body": {"complex": "exciton"}})
    found = runner.run(study)
    called = few_body(Bilayer.of("WSe2/hBN/MoSe2", spacing="2.997 nm", screening={"gate_top": "10 nm"}), "exciton")
    assert found.total_energy == called.total_energy
    found.save(tmp_path / "r.nc")
    told = Result.load(tmp_path / "r.nc").inputs["interaction"]
    assert told["name"] == "screened" and told["finite_v0"] and told["gate_bottom"] is None
    assert told["kappa"] == pytest.approx(math.sqrt(6.93 * 3.76))


def test_parts_of_a_complex_far_apart() -> None:
    """c_3 of the tail: v_ab(r) - 1/r goes as -B/r^3, with sheets, thickness and one gate; two gates leave nothing."""
    r = np.array([1e3, 2e3])
    for screened in (Screened(1.0, 2.0, 1.0, sheet_electron=3.0, sheet_hole=2.0, layer_thickness=0.5),
                     Screened(1.0, 2.0, 1.0, gate_top=4.0, sheet_electron=3.0, sheet_hole=2.0, layer_thickness=0.5)):
        for a, b in ((0, 0), (0, 1), (1, 1)):
            far = ((0 if screened.finite else 1 / r) - screened.real_space(r, a, b)) * r**3
            assert screened.far_dipole(a, b) == pytest.approx((4 * far[1] - far[0]) / 3, rel=2e-5)
    assert abs(Screened(1.0, gate_top=3.0, gate_bottom=2.0).far_dipole(0, 1)) < 1e-12
    for name in ("trion-", "trion+", "biexciton"):
        bare, spacer = make_complex(name, None, 0.3, 2.0), Screened(1.0, 4.0, 1.0)
        ours = make_complex(name, None, 0.3, 1.0, None, spacer)
        assert ours.tail == pytest.approx(bare.tail, rel=1e-8)
        assert outer_radius(ours) == pytest.approx(outer_radius(bare), rel=1e-8)


def test_one_plane_of_some_thickness() -> None:
    """At distance 0 both carriers share one layer, whose charge is spread once."""
    one, q = Screened(0.0, 2.0, 1.0, 3.0, 2.0, 1.0, 0.0, 0.8), np.array([1e-6, 0.3, 30.0, 1e3])
    assert one.v(q, 0, 1) == pytest.approx(Screened(0.0, 2.0, 1.0, 3.0, 2.0, 1.0, 0.0, 0.8).v(q, 1, 1), rel=1e-12)
    assert one.v(q, 0, 1)[0] == pytest.approx(one.long_wave(0, 1)[1], rel=1e-5)
    assert one.charging([(0, -1.0), (1, 1.0)], 1.0) == pytest.approx(0.0, abs=1e-12)
    assert solve_exciton(1.0, 0.0, one).energy > solve_exciton(1.0, 0.0, Screened(0.0, 2.0, 1.0, 3.0, 2.0, 1.0)).energy


@pytest.mark.published
@pytest.mark.parametrize("screened", [Screened(0.0, 4.0, 1.0), Screened(0.0, 4.0, 1.0, 20.0, 20.0, 0.0, 0.0, 0.3)])
def test_the_search_for_a_critical_spacing(screened: Screened) -> None:
    """Its points are the binding energies at those spacings; they fall, and thick layers are asked from where they
    touch on. An anisotropic spacer of thickness d acts as s d."""
    found = critical_spacing("trion-", "singlet", 0.25, Options(max_functions=20), None, screened)
    assert len(found.spacings) and np.all(np.diff(found.bindings) < 0)
    assert found.spacings[0] >= screened.layer_thickness
    d, energy, error = float(found.spacings[0]), found.bindings[0], found.errors[0]
    alone = make_complex("trion-", "singlet", 0.25, 2 * d) if screened.coulomb_distance(0, 1) is not None else \
        make_complex("trion-", "singlet", 0.25, d, None, screened)
    again = minimise(alone, Options(1e-3 * energy, max_functions=60))
    assert again.binding == pytest.approx(energy, abs=2 * (error + again.uncertainty) + 0.01 * energy)
