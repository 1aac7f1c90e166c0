"""Dai and Fu: numbers and statements of the text that no figure's table holds, without a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer import Result
from ehbilayer.papers.dai_fu import figure_1 as dai_fu_1
from ehbilayer.papers.dai_fu import trions
from ehbilayer.papers.dai_fu.classical_studies import crossing, energy_of, transition
from ehbilayer.papers.dai_fu.unbinding import EQUAL, few_body, unbinding_row
from ehbilayer.papers.dai_fu.unbinding import studies as unbinding_studies
from ehbilayer.papers.densities import rs_hole
from ehbilayer.papers.record import MISSING, NEW, Reproduction, Results, Row, Studies, judged, said

LIMIT, WAVES, REAL = "dai-fu-limit", "dai-fu-waves", "dai-fu-device"
POLARISED, UNRESTRICTED, DENSITIES = "dai-fu-polarised", "dai-fu-unrestricted", "dai-fu-densities"
SINGLET, TRIPLET = "dai-fu-trion-singlet", "dai-fu-trion-triplet"
EXCITON, EQUAL_TRIPLET = "dai-fu-exciton", "dai-fu-equal-triplet"
MATERIAL: dict[str, Any] = {"material": "WSe2/MoSe2", "spacing": "3 nm"}
PLANE: dict[str, Any] = EQUAL | {"spacing": 0.0}
SIZES = [36, 144, 324]  # holes
COMPRESSED = [7.0, 7.5, 8.0, 8.5, 9.0]  # r_s of the densities along which the trion crystal is compressed
FREE_WAVES = {k: v for k, v in trions.BOX.items() if k != "plane_waves"}  # as many as the tolerance needs


def studies(quick: bool) -> Studies:
    """The trion crystal in and without the paper's limits, other spins, the device, three particles alone.

    Quick leaves out three particles, other densities and the largest torus.
    """
    mesh = trions.BOX | {"symmetry": "crystal"}
    free = FREE_WAVES | {"symmetry": "crystal"}
    limit = trions.trions(free | {"zero_mode": "madelung"}, start="trion-crystal", tolerance=1e-7)
    stop = 1e-4 if quick else 1e-6
    found = trions.trion_crystal() | trions.trion_mesh() | {
        LIMIT: limit | {"sweep": {"cell.holes": SIZES[:1] if quick else SIZES}},
        WAVES: trions.trions(free, start="trion-crystal", tolerance=1e-6 if quick else 1e-8),
        REAL: trions.trions(mesh, bilayer=MATERIAL, start="trion-crystal"),
        POLARISED: trions.trions(mesh, electron_spin="polarized", start="dumbbell-crystal", tolerance=stop),
        UNRESTRICTED: trions.trions(mesh, electron_spin="unrestricted", start="trion-crystal", starts=2,
                                    tolerance=stop),
        EXCITON: few_body(PLANE, complex="exciton")}
    shared = dai_fu_1.studies(quick)
    found |= {name: shared[name] for name in ("composite-energies", "ground-states")}
    if quick:
        return found
    return found | {
        DENSITIES: limit | {"sweep": {"density.rs_hole": COMPRESSED}},
        SINGLET: few_body(MATERIAL, spin="singlet"), TRIPLET: few_body(MATERIAL, spin="triplet"),
        EQUAL_TRIPLET: few_body(PLANE, spin="triplet", tolerance=1e-4)} | unbinding_studies(quick)


def rows(results: Results) -> list[Row]:
    """All of them, in the order of the paper's text."""
    return [*_classical(results), *_three(results), *_device(results), *_crystal(results), *_spins(results),
            *_response(results)]


def _classical(results: Results) -> list[Row]:
    result = results["composite-energies"]
    x, square = energy_of(result, "checkerboard")
    where = crossing(x, square - energy_of(result, "honeycomb")[1])
    found = transition(results["ground-states"], "rhombic", "honeycomb")
    better = f"{found:.6g}, from the rhombic crystal" if found else ""
    return [judged("checkerboard and honeycomb cross, a/d", "5.42", where, (5.415, 5.425), converged=better)]


def _three(results: Results) -> list[Row]:
    """Trions and excitons alone."""
    found = [unbinding_row(results)]
    triplet = results.get(EQUAL_TRIPLET)
    found.append(said("no triplet trion at equal masses (d = 0)", triplet.bound is False,
                      f"none bound by more than {triplet.resolution:.0e} Ha_h") if triplet else
                 Row("no triplet trion at equal masses (d = 0)", "yes", "", MISSING))
    energy = float(results[EXCITON].energy)
    found.append(judged("exciton in the plane, equal masses (Ha)", "-1", energy, (-1 - 1e-6, -1 + 1e-6),
                        f"{energy:.10f}"))
    if SINGLET not in results:
        return [*found, Row("trion binding in WSe2/MoSe2 (K)", "of the order of 15", "", MISSING)]
    singlet, other = (results[n].binding_energy.to("K") for n in (SINGLET, TRIPLET))
    return [*found, judged("trion binding in WSe2/MoSe2 (K)", "of the order of 15", singlet, (10.0, 20.0),
                           f"{singlet:.2f}"),
            said("the triplet trion is bound more weakly", other < singlet, f"{other:.2f} K")]


def _device(results: Results) -> list[Row]:
    """Units of the device, from its names and numbers."""
    real = results[REAL]
    a_h, density = real.provenance.scales.bohr_radius_nm, real.density.hole.to("cm^-2")
    electron, hole = (p["mass"] for p in real.inputs["species"])
    rs = rs_hole(real) * (2 * electron + hole) / hole
    spacing = float(real.inputs["spacing"])
    return [trions.printed("a_h of WSe2/MoSe2 (nm)", "0.622", a_h, f"{a_h:.5f}"),
            trions.printed("d/a_h at 3 nm", "4.83", spacing, f"{spacing:.5f}"),
            trions.printed("n_h at r_s = 8 (10^12 cm^-2)", "1.29", density / 1e12, f"{density / 1e12:.4f}"),
            trions.printed("r_s of trions of mass 2 m0", "40", rs, f"{rs:.4g}")]


def _crystal(results: Results) -> list[Row]:
    """Energy and gaps: with more waves at the paper's size, and without the limit of size."""
    waves, limit = results[WAVES], results[LIMIT].data
    holes = int(limit["cell.holes"].values[-1])

    def better(here: float, name: str, digits: int) -> str:
        return (f"{here:.{digits}f} ({waves.basis_size} waves); madelung, {holes} holes: "
                f"{limit[name].values[-1]:.{digits}f}")

    found = trions.crystal_rows(results[trions.CRYSTAL], {
        "trion crystal, energy per particle (Ha_h)": better(waves.energy_per_particle, "energy_per_particle", 6),
        "trion crystal, gap of the electrons (Ha_h)": better(waves.gap.electron, "gap.electron", 5),
        "trion crystal, gap of the holes (Ha_h)": better(waves.gap.hole, "gap.hole", 5)})
    return [*found, Row("the same with d = 3 nm, not rounded to 4.83 a_h", "",
                        f"{results[REAL].energy_per_particle:.6f}", NEW)]


def _spins(results: Results) -> list[Row]:
    """Other spins lie lower in mean field, at the paper's parameters."""
    states = trions.MESH, POLARISED, UNRESTRICTED
    restricted, polarised, unrestricted = (results[name].energy_per_particle for name in states)
    return [said("polarised electrons lower than restricted ones", polarised < restricted,
                 f"{polarised:.6f} against {restricted:.6f} Ha_h"),
            said("unrestricted electrons lower than restricted ones", unrestricted < restricted,
                 f"{unrestricted:.6f} Ha_h")]


def _response(results: Results) -> list[Row]:
    """Compressible in its charge, gapped to excitons and spins."""
    names = ("trion crystal: charge-compressible (dn/dmu not 0)",
             "trion crystal: gap to adding excitons, dilute limit (K)",
             "trion crystal: spin gap of the electrons, dilute limit (K)")
    if DENSITIES not in results:
        return [Row(name, "yes", "", MISSING) for name in names]
    slope, same = stiffness(results[DENSITIES])
    singlet, other = (results[n].binding_energy.to("K") for n in (SINGLET, TRIPLET))
    return [said(names[0], same and np.isfinite(slope) and slope != 0,
                 f"crystal at r_s = {COMPRESSED[0]:g} to {COMPRESSED[-1]:g}, dmu/dn = {slope:.1f} Ha_h a_h^2"),
            said(names[1], singlet > 0, f"{singlet:.2f}, a trion's binding"),
            said(names[2], singlet - other > 0, f"{singlet - other:.2f}, singlet below triplet trion")]


def stiffness(result: Result) -> tuple[float, bool]:
    """(dmu/dn in Ha_h a_h^2 at r_s = 8, whether all densities have the trion crystal); mu = d(E/A)/dn of a trion.

    From a polynomial through the energies; the capacitor's energy and v(0) of the backgrounds are not in it.
    """
    n = (np.pi * result.data["density.rs_hole"].values.astype(float) ** 2) ** -1.0
    energy = 3 * n * result.data["energy_per_particle"].values  # three particles per hole
    middle = 1 / (np.pi * trions.RS**2)
    fit = np.polynomial.Polynomial.fit(n, energy, len(n) - 1)
    return float(fit.deriv(2)(middle)), bool((result.data["phase"].values == "trion-crystal").all())


def caption(results: Results) -> str:
    """What stands behind the table."""
    left_out = "" if SINGLET in results else " Complexes of three particles and other densities are left out here."
    return (f"The paper's convention for its crystal: 36 holes, {results[trions.CRYSTAL].basis_size} plane waves, zero "
            f"mode none, m_e/m_h = {trions.DEVICE['electron_mass'] / trions.DEVICE['hole_mass']:g}, d = "
            f"{trions.DEVICE['spacing']:g} a_h, r_s = 8 a_h. Converged: waves that reach 1e-8 Ha_h per particle "
            "(quick: 1e-6) at 36 holes, and 1e-7 with zero mode madelung on the largest torus computed. Three "
            "particles by correlated Gaussians; their energies are upper bounds, and the exciton's is exact, so that "
            "a trion found bound is bound. The gap to excitons in the dilute limit is what a trion gains over exciton "
            "and electron; the spin gap is the distance of the bound triplet. The device with 3 nm has d = 4.825 a_h, "
            f"which the paper rounds to 4.83.{left_out}")


FIGURE = Reproduction("dai-fu:numbers", "numbers and statements of the text",
                      f"{trions.PAPER} and Supplemental Material", studies, None, rows, caption)
