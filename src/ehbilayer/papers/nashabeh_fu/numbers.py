"""Nashabeh and Fu: numbers and statements that no figure's table holds, and the exact limits behind all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ehbilayer import SweepResult, eliashberg_tc
from ehbilayer.papers.densities import SOURCE, TRIANGULAR, hartree_fock
from ehbilayer.papers.nashabeh_fu import figure_3 as nashabeh_fu_3
from ehbilayer.papers.nashabeh_fu import figure_4b as nashabeh_fu_4b
from ehbilayer.papers.nashabeh_fu import figure_s6 as nashabeh_fu_s6
from ehbilayer.papers.nashabeh_fu.figure_2 import DENSITY, MASS, SPACING
from ehbilayer.papers.record import MISSING, Reproduction, Results, Row, Studies, judged, said

LIMIT, POINT, HYDROGEN = "nashabeh-fu-3-limit", nashabeh_fu_4b.POINT, "nashabeh-fu-tc-2000"
MOTT, CRYSTALS, STRONGEST = "nashabeh-fu-mott", "nashabeh-fu-electron-crystals", "nashabeh-fu-condensation"
RESTRICTED = {name: f"{name}-restricted" for name in nashabeh_fu_s6.DENSITIES}  # unrestricted study -> its twin
STATIC = "static-crystals"
GASES = {"restricted": "uniform-gas", "polarized": "uniform-gas-polarised"}
ORBITALS = [19, 61, 187]  # closed shells of the triangular torus, within 10 steps
RS_GAS = 2.0
RS = "density.rs_electron"
SPACINGS, RATIO_MASSES = [1.0, 3.0, 10.0], [0.5, 0.166667]  # a_h; m0, ratios 2 and 6
CROSSINGS = [1.5, 1.7, 1.9, 2.1]  # r_s of the electrons around their crystallisation
SIMILAR = 1e-2  # of eps_F per particle
SAME = 0.1  # r_s: crossings closer than this do not depend on the holes
NARROW = 1e-4  # half the width of a mode
EINSTEIN = {0.5: 0.0394, 1.0: 0.1146, 2.0: 0.2117}  # lambda -> T_c/omega_E, isotropic Eliashberg, mu* = 0
STATIC_ENERGIES = {"triangular": -1.106103, "square": -1.100244}  # E r_s; Bonsall and Maradudin, PRB 15, 1959 (1977)


def studies(quick: bool) -> Studies:
    """Quick leaves out where electrons crystallise and the spins of the liquid, and takes smaller tori."""
    found = nashabeh_fu_3.studies(quick) | {POINT: nashabeh_fu_4b.studies(quick)[POINT], STATIC: static_crystals()}
    found |= {LIMIT: electron_liquid(36 if quick else 144, 1e-5 if quick else 1e-6),
              HYDROGEN: hydrogen(quick)}
    found |= {name: uniform_gas(spin) for spin, name in GASES.items()}
    found[STRONGEST] = condensates([0.5, 1.0, 1.5] if quick else [0.5, 0.75, 1.0, 1.25, 1.5])
    among = ["liquid", "condensate"] if quick else ["liquid", "hole-crystal", "crystal", "condensate"]
    found[MOTT] = competition(among, {DENSITY: [0.5, 4.0] if quick else [0.5, 3.0, 4.0]}, 1e-5 if quick else 1e-6)
    if quick:
        return found
    free = nashabeh_fu_s6.studies(quick)
    axes: dict[str, Any] = {SPACING: SPACINGS, MASS: RATIO_MASSES, RS: CROSSINGS}
    found[CRYSTALS] = competition(["hole-crystal", "crystal"], axes, hexagon=9, density={RS.split(".")[1]: 1.6})
    return found | free | {RESTRICTED[name]: restricted(tables) for name, tables in free.items()}


def hydrogen(quick: bool) -> dict[str, Any]:
    """The printed point of Fig. 4b with the masses and the vacuum of solid hydrogen; quick: a short curve."""
    bilayer = {"electron_mass": 1.0, "hole_mass": 2000.0, "dielectric": 1.0, "spacing": "1 a_e"}
    point = nashabeh_fu_4b.studies(quick)[POINT]
    return point | {"bilayer": bilayer}


def restricted(tables: dict[str, Any]) -> dict[str, Any]:
    """The same study with both spins of the electrons forced equal."""
    return tables | {"hartree-fock": tables["hartree-fock"] | {"electron_spin": "restricted"}}


def electron_liquid(holes: int, tolerance: float) -> dict[str, Any]:
    """The state of Fig. 3 with zero mode madelung and as many waves as the tolerance needs."""
    cell = {"shape": "triangular", "holes": holes, "zero_mode": "madelung", "symmetry": "crystal"}
    return hartree_fock(1.0, nashabeh_fu_3.RATIO, {"rs_hole": 7.0}, cell, start="hole-crystal", occupation="shell",
                        tolerance=tolerance)


def static_crystals() -> dict[str, Any]:
    """Point charges of one layer."""
    return {"kind": "crystal", "density": {"electrons_per_hole": 0, "rs_hole": 1.0},
            "crystal": {"structure": "triangular"}, "sweep": {"crystal.structure": list(STATIC_ENERGIES)}}


def uniform_gas(spin: str) -> dict[str, Any]:
    """Closed shells of plane waves in one layer."""
    flavours = 2 if spin == "restricted" else 1
    return {"kind": "hartree-fock", "bilayer": {"electron_mass": 1.0}, "density": {"rs_electron": RS_GAS},
            "cell": {"shape": "triangular", "electrons": flavours * ORBITALS[0], "hexagon": 10,
                     "zero_mode": "madelung"},
            "hartree-fock": {"electron_spin": spin, "start": "liquid", "keep": "translations", "occupation": "shell",
                             "stability": "none", "tolerance": 1e-6},
            "sweep": {"cell.electrons": [flavours * n for n in ORBITALS]}}


def competition(candidates: list[str], axes: dict[str, Any], tolerance: float = 1e-6, *, hexagon: int = 7,
                density: dict[str, Any] | None = None) -> dict[str, Any]:
    """A phase diagram in the paper's convention; equal masses and d = a_h unless an axis says another."""
    density = density or {"hole_over_critical": 1.0, "critical_rs": "computed"}
    return {"kind": "phase-diagram",
            "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "dielectric": 5.0, "spacing": "1 a_h"},
            "density": density | {"electrons_per_hole": 1}, "cell": TRIANGULAR | {"hexagon": hexagon},
            "hartree-fock": {"electron_spin": "restricted", "stability": "none", "tolerance": tolerance},
            "phases": {"candidates": candidates}, "sweep": axes}


def condensates(masses: list[float]) -> dict[str, Any]:
    """Condensates of all pairs of masses at one density and spacing; those of holes of m0: r_s = 5 a_h, d = a_h."""
    return {"kind": "condensate",
            "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "dielectric": 5.0, "spacing": "0.2646 nm"},
            "density": {"hole": "1.82e13 cm^-2", "electrons_per_hole": 1}, "cell": dict(TRIANGULAR),
            "condensate": {"curve_points": 0}, "sweep": {"bilayer.electron_mass": masses, "bilayer.hole_mass": masses}}


def rows(results: Results) -> list[Row]:
    """Numbers of the text, statements of the text, exact limits."""
    return [*_liquid(results), *_superconductivity(results), *_mott(results), *_crystallisation(results),
            *_spins(results), *_condensation(results), *_exact(results)]


def _liquid(results: Results) -> list[Row]:
    """Mass and gap of Fig. 3 as published and without the limits of size, waves and v(0) = 0."""
    paper, limit = results[nashabeh_fu_3.STUDY], results[LIMIT]
    where = f"madelung, {limit.particles.hole} holes, {limit.basis_size} waves"
    mass, gap, free = nashabeh_fu_3.band_fit(paper)[0], nashabeh_fu_3.hole_gaps(paper), nashabeh_fu_3.hole_gaps(limit)
    found = [judged("electron liquid: m*/m_e, two bands", "0.93", mass, nashabeh_fu_3.MASS, f"{mass:.4f}",
                    f"{nashabeh_fu_3.band_fit(limit)[0]:.3f} ({where})")]
    return found + [judged(f"electron liquid: hole gap/eps_F, {name}", "0.74", gap[name], nashabeh_fu_3.GAP,
                           f"{gap[name]:.4f}", f"{free[name]:.3f} ({where})")
                    for name in ("indirect", "at the valence top")]


def _superconductivity(results: Results) -> list[Row]:
    s, hydrogen = results[POINT], results[HYDROGEN]
    density = 1 / (np.pi * (s.rs_electron * s.provenance.scales.electron_bohr_radius_nm * 1e-7) ** 2)
    t_c = hydrogen.critical_temperature
    return [judged("n (10^12 cm^-2) at r_s = 1.6, d = a_e, m_h/m_e = 10", "about 1.8", density / 1e12, (1.75, 1.85),
                   f"{density / 1e12:.4f}"),
            judged("T_c (K) there, alpha = 0.3", "about 10", s.critical_temperature, (9.5, 10.5), "",
                   f"{s.by_method['eliashberg']:.3g} (Eliashberg)"),
            judged("T_c (K) at m_h/m_e = 2000, m_e = m0, dielectric 1", "about 180", t_c, (175.0, 185.0), f"{t_c:.4g}",
                   f"{hydrogen.by_method['eliashberg']:.3g} (Eliashberg)")]


def _mott(results: Results) -> list[Row]:
    result = results[MOTT]
    winner, density = result.data["winner"].values, result.data[DENSITY].values
    text = ", ".join(f"{w} at {n:g}" for w, n in zip(winner, density, strict=True))
    return [said("equal masses, d = a_h: condensate gives way to the liquid, no crystal between",
                 list(dict.fromkeys(winner.tolist())) == ["condensate", "liquid"], f"{text} n_h*")]


def crystallisation(result: SweepResult) -> np.ndarray:
    """r_s of the electrons where crystal and electron liquid on a hole crystal cross, (spacings, masses); NaN: none.

    Linear between the points where both candidates are what they are called.
    """
    names = ("hole-crystal", "crystal")
    liquid, crystal = (result.array(f"energies.{n}").values for n in names)
    # below the crossing the crystal may have melted into the other phase, which decides nothing but its side
    ends = [result.array(f"ended_as.{n}").values == n for n in names]
    gain = np.where(ends[0] & ends[1], liquid - crystal, np.nan)
    rs = result.data[RS].values.astype(float)
    found = np.full(gain.shape[:2], np.nan)
    for i, j in np.ndindex(*found.shape):
        for k in np.flatnonzero((gain[i, j, :-1] < 0) & (gain[i, j, 1:] > 0))[:1]:
            low, high = gain[i, j, k], gain[i, j, k + 1]
            found[i, j] = rs[k] - low * (rs[k + 1] - rs[k]) / (high - low)
    return found


def _crystallisation(results: Results) -> list[Row]:
    quantities = [f"d = {d:g} a_h: electrons crystallise {how}" for d, how in
                  zip(SPACINGS, ("the earlier the larger r_s of the holes", *["by their own r_s alone"] * 2),
                      strict=True)]
    if CRYSTALS not in results:
        return [Row(q, "yes", "", MISSING) for q in quantities]
    found = []
    for i, (quantity, (light, heavy)) in enumerate(zip(quantities, crystallisation(results[CRYSTALS]), strict=True)):
        holds = light - heavy > SAME if i == 0 else abs(light - heavy) < SAME
        found.append(said(quantity, bool(holds), f"at r_s {light:.2f} and {heavy:.2f} for m_h/m_e = 2 and 6"))
    return found


def _spins(results: Results) -> list[Row]:
    """The electrons of Fig. S6 with both spins forced equal, the whole box free in either case."""
    found = []
    for name, n in nashabeh_fu_s6.DENSITIES.items():
        quantity = f"restricted and unrestricted electrons give similar results, n/n* = {n:g}"
        if name not in results:
            found.append(Row(quantity, "yes", "", MISSING))
            continue
        one, two = results[name], results[RESTRICTED[name]]
        off = abs(one.energy_per_particle - two.energy_per_particle)
        share = off / one.fermi_energy.electron
        found.append(said(quantity, one.phase == two.phase and share < SIMILAR,
                          f"{one.phase}, {two.phase}; energies {off:.1g} Ha_h = {share:.1g} eps_F apart"))
    return found


def _condensation(results: Results) -> list[Row]:
    data = results[STRONGEST].data
    fraction, masses = data["condensate_fraction"].values, data["bilayer.electron_mass"].values
    same = np.diag(fraction[:, ::-1])  # masses of the same sum, from the lightest to the heaviest electron
    middle = len(same) // 2
    strongest = bool((np.diff(same[: middle + 1]) > 0).all() and (np.diff(same[middle:]) < 0).all())
    text = ", ".join(f"{f:.3f}" for f in same[middle:])
    return [said("condensation strongest at equal masses of one sum", strongest,
                 f"condensate fraction {text} at m_e = {', '.join(f'{m:g}' for m in masses[middle:])} of 2 m0"),
            said("lighter electrons weaken it", bool((np.diff(fraction[:, middle]) > 0).all()),
                 f"{fraction[0, middle]:.3f} at m_e = {masses[0]:g}, {fraction[middle, middle]:.3f} at 1 m0")]


def _exact(results: Results) -> list[Row]:
    """Limits that are known: static crystals, uniform gases, one Einstein mode."""
    names = results[STATIC].data["crystal.structure"].values.tolist()
    energy = results[STATIC].data["energy_per_hole"].values
    found = [judged(f"static {name} crystal, E r_s", f"{known:.6f}", float(energy[names.index(name)]),
                    (known - 5e-7, known + 5e-7), f"{energy[names.index(name)]:.9f}")
             for name, known in STATIC_ENERGIES.items()]
    known_gas = {"restricted": 1 / (2 * RS_GAS**2) - 4 * math.sqrt(2) / (3 * math.pi * RS_GAS),
                 "polarized": 1 / RS_GAS**2 - 8 / (3 * math.pi * RS_GAS)}
    for spin, name in GASES.items():
        data = results[name].data
        value, count = float(data["energy_per_particle"].values[-1]), int(data["cell.electrons"].values[-1])
        found.append(judged(f"uniform gas, r_s = 2, {spin.replace('ized', 'ised')} (Ha)", f"{known_gas[spin]:.6f}",
                            value, (known_gas[spin] - 2e-3, known_gas[spin] + 2e-3),
                            f"{value:.6f} (madelung, {count} electrons)"))
    for strength, known in EINSTEIN.items():
        t_c = eliashberg_tc([1 - NARROW, 1, 1 + NARROW], [0, strength / (2 * NARROW), 0])
        found.append(judged(f"one Einstein mode, lambda = {strength:g}: T_c/omega_E", f"{known:.4f}", t_c,
                            (known - 5e-5, known + 5e-5), f"{t_c:.5f}"))
    return found


def caption(results: Results) -> str:
    """What stands behind the table."""
    left_out = "" if CRYSTALS in results else " Where electrons crystallise and spins of the liquid are left out here."
    waves = results[nashabeh_fu_3.STUDY].basis_size
    return (f"The paper's convention: 36 polarised holes and 36 electrons, triangular torus, {waves} waves "
            "(271 where electrons crystallise), zero mode none, m_h = m0, dielectric constant 5. Electron liquid: d = "
            "a_h, m_h/m_e = 10, r_s = 7; eps_F is that of free spin-degenerate electrons. Mott transition: n/n_h* with "
            "the n_h* of polarised holes computed on the same torus. Spins: the states of Fig. S6 (d = 3 a_h, m_h/m_e "
            "= 10), lowest of a clean and a noisy start. Condensation: d = 0.2646 nm, n = 1.82e13 cm^-2. T_c: the "
            "printed formula with alpha = 0.3, beside it isotropic Eliashberg with the same spectrum. Exact limits: "
            "Bonsall and Maradudin, PRB 15, 1959 (1977); textbook formulas of the plane's Hartree-Fock gas; one "
            "Einstein mode without mu*. Statements on "
            f"phases and T_c that stand beside a figure are in its own table.{left_out}")


FIGURE = Reproduction("nashabeh-fu:numbers", "numbers and statements of the text, and exact limits", SOURCE, studies,
                      None, rows, caption)
