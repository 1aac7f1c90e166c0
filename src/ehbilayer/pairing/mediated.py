r"""Pairing of an electron liquid by a hole liquid, with the interaction that both liquids' response gives.

Two electrons of the Fermi circle interact by V_ee + [X chi X]_ee, chi the response of both liquids with the local
fields of a theory and X what couples to it: the bare V (test charges), or W = V (1 - G) (Kukkonen and Overhauser, where
electrons feel their own local field, too). The full interaction pairs electrons without any holes, an artefact of
such theories; what counts is **what the holes add** to the same electrons. These screen at once, as they do in
Eliashberg's equations, and the rest is the response of the holes alone,

    lambda(nu) = -N_0 < X_eh^2 chi_h(q, i nu) >,  chi_h = chi_h0/(1 - chi_h0 W_hh),
    X_eh and W_hh screened by chi_e0(q, 0),       mu = N_0 < V_ee + X_ee^2 chi_e >,

N_0 = m/2 pi for one flavour, averages over the Fermi circle, q = 2 k_F sin(theta). lambda(nu) is a sum of
lambda_i w_i^2/(w_i^2 + nu^2) with lambda_i >= 0 (`spectrum_of`), and T_c follows by `eliashberg`.

Electrons that are not much faster than the holes screen in time. With chi_e0(q, i nu) in place of chi_e0(q, 0) the same
lines are, to all orders, what the holes add to the interaction at i nu,

    N_0 < [X chi X]_ee - [X chi X]_ee without holes > = -lambda'(nu),      lambda'(0) = lambda(0),

and lambda'(nu) enters the same gap equation as it is (`TabulatedCoupling`), with the repulsion mu of electrons at rest
up to a frequency near eps_F, which no theory here fixes: T_c is told for CUTOFFS. Two electrons that exchange nu are
nu/v_F apart across the Fermi circle, q^2 = (2 k_F sin(theta))^2 + (nu/v_F)^2. Without that longer waves, which nothing
screens in time, would let the averages with and without holes diverge, and their difference jump at nu = 0.

Crystals of holes stand beside, `hole_crystal`, where there is an electron to each hole and Coulomb's interaction; the
electrons screen their phonons at once in both gap equations.

Sources: C. A. Kukkonen and A. W. Overhauser, Phys. Rev. B 20, 550 (1979); I. V. Afanasiev et al., arXiv:2105.05982.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Ended, Hooks
from ehbilayer.interaction.base import require_coulomb
from ehbilayer.model import Bilayer, require_balance
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.pairing.coupling_spectrum import CouplingSpectrum, TabulatedCoupling
from ehbilayer.pairing.eliashberg import critical_temperature
from ehbilayer.pairing.hole_crystal import applies, crystal_coupling
from ehbilayer.pairing.liquid import check_flavours, check_rule, pseudopotential
from ehbilayer.pairing.result import CouplingLevel, MediatedPairingResult
from ehbilayer.response.liquids import Liquids
from ehbilayer.response.local_fields import Stls, hubbard
from ehbilayer.response.solve import Asked
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

UNSTABLE = "the liquid of the holes is not stable by this theory: a wave of charge forms"
UNSETTLED = "the local fields did not converge"
UNSTABLE_CRYSTAL = "the crystal of the holes is not stable under the force that the electrons screen"
PLASMON_POLE = "plasmon-pole"
LIQUIDS = ("rpa", "hubbard", "stls", "kukkonen-overhauser")  # the last with the fields of stls
CRYSTALS = {"crystal": "none", "crystal-exchange": "exchange"}  # and the local field of the electrons
LEVELS = (*LIQUIDS, *CRYSTALS)
PANELS, NODES, FIRST = 6, 12, 1e-3  # of theta, in panels that grow: at i nu waves of q = nu/v_F matter
CUTOFFS = (0.5, 1.0, 2.0)  # of eps_F, up to which electrons repel each other
MODES, FREQUENCIES, REACH = 48, 160, 1e4  # of the spectrum and of its fit, both over scale/REACH to scale*REACH^(1/2)


@dataclass(frozen=True, eq=False)
class Mediated:
    """mu, lambda(nu) at nu (n,) Ha_h and its spectrum, of one theory; ``in_time`` is lambda'(nu).

    No spectrum where the liquid of the holes, screened by the electrons, is not stable: then nothing mediates; nor of
    local fields that did not converge.
    """

    mu: float
    nu: np.ndarray
    lam: np.ndarray
    in_time: np.ndarray
    spectrum: CouplingSpectrum | None


def mediated(liquids: Liquids, field: np.ndarray, own_field: bool) -> Mediated:
    """By the local fields L at the waves of the grid; with ``own_field`` electrons feel theirs.

    The first gas pairs, the second mediates.
    """
    electron, hole = liquids.gases
    theta, share = _circle()
    q = 2 * electron.fermi * np.sin(theta)
    n_0 = electron.carrier.mass / (2 * math.pi)
    still = _dressed(liquids, field, own_field, q, electron.imaginary(q, np.zeros_like(q)))
    mu = n_0 * float(share @ still.repulsion)
    top = float(np.max(q * hole.velocity + q * q / (2 * hole.carrier.mass)))
    scale = math.sqrt(top**2 + float(np.max(np.abs(still.stiff) * hole.carrier.density * q * q)) / hole.carrier.mass)
    nu = np.concatenate([[0.0], np.geomspace(scale / REACH, scale * math.sqrt(REACH), FREQUENCIES)])
    alone = hole.imaginary(q[:, None], nu)
    lam = -n_0 * (share * still.coupled**2) @ (alone / (1 - alone * still.stiff[:, None]))
    stable = bool(np.all(1 - alone[:, 0] * still.stiff > 0))
    return Mediated(mu, nu, lam, n_0 * share @ _in_time(liquids, field, own_field, q, nu),
                    spectrum_of(nu, lam, scale) if stable else None)


@dataclass(frozen=True, eq=False)
class Dressed:
    """What electrons make of V_ee, X_eh and W_hh, each (n,)."""

    repulsion: np.ndarray
    coupled: np.ndarray
    stiff: np.ndarray


def _dressed(liquids: Liquids, field: np.ndarray, own_field: bool, q: np.ndarray, free: np.ndarray) -> Dressed:
    """At q (n,), by the response chi_e0 = ``free`` of the electrons there."""
    v = liquids.bare(q)
    w = liquids.effective(q, np.tensordot(liquids.grid.interpolation(q), field, 1)) if field.any() else v
    x = w if own_field else v
    chi = free / (1 - free * w[:, 0, 0])
    return Dressed(v[:, 0, 0] + x[:, 0, 0] ** 2 * chi, x[:, 0, 1] + x[:, 0, 0] * chi * w[:, 0, 1],
                   w[:, 1, 1] + w[:, 0, 1] ** 2 * chi)


def _in_time(liquids: Liquids, field: np.ndarray, own_field: bool, q: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """lambda'(nu)/N_0 at each of q (n, nu)."""
    electron, hole = liquids.gases
    whole = np.hypot(q[:, None], nu / electron.velocity).ravel()
    times = np.broadcast_to(nu, (len(q), len(nu))).ravel()
    found = _dressed(liquids, field, own_field, whole, electron.imaginary(whole, times))
    alone = hole.imaginary(whole, times)
    return np.asarray(-found.coupled**2 * alone / (1 - alone * found.stiff)).reshape(len(q), len(nu))


def _circle() -> tuple[np.ndarray, np.ndarray]:
    """theta from 0 to pi/2, and weights of the average over them."""
    node, weight = gauss_legendre(NODES)
    ends = np.concatenate([[0.0], np.geomspace(FIRST, 1.0, PANELS)])
    half = np.diff(ends)[:, None] / 2
    return np.pi / 2 * (ends[:-1, None] + half * (1 + node)).ravel(), (half * weight).ravel()


def spectrum_of(nu: np.ndarray, lam: np.ndarray, scale: float) -> CouplingSpectrum:
    """Modes with couplings >= 0 whose lambda(nu) is the one given, by least squares."""
    from scipy.optimize import nnls

    omega = np.geomspace(scale / REACH, scale * math.sqrt(REACH), MODES)
    return CouplingSpectrum(omega, nnls(omega**2 / (omega**2 + nu[:, None] ** 2), lam)[0])


def solve_mediated(bilayer: Bilayer, coupling: str, mu_star: Any, hooks: Hooks) -> MediatedPairingResult:
    """T_c of all theories, ``coupling`` the one that is trusted. Raises InputError."""
    if coupling not in LEVELS:
        raise InputError("coupling", " | ".join((PLASMON_POLE, *LEVELS)), coupling, "choose one of these")
    check_rule(mu_star)
    electron, hole = bilayer.carrier("electron"), bilayer.carrier("hole")
    check_flavours(electron.flavours)
    if coupling in CRYSTALS:
        require_coulomb(bilayer.interaction, "pairing by a hole crystal")
        require_balance(bilayer, "pairing by a hole crystal")
    liquids = Asked(bilayer).liquids()
    order = sorted(liquids.gases, key=lambda g: g.carrier.name != "electron")
    liquids = Liquids(tuple(order), liquids.interaction)
    levels: list[CouplingLevel] = []
    data: dict[str, Variable] = {}
    status, reason = Status.converged, ""
    try:
        for name, found, good in _mediators(bilayer, liquids, hooks):
            levels.append(_level(bilayer, name, found, mu_star, liquids.gases[0].fermi**2 / (2 * electron.mass)))
            data |= {f"lambda_{name}": Variable((f"nu_{name}",), found.lam, "1", "what the holes add, at i nu"),
                     f"in_time_{name}": Variable((f"nu_{name}",), found.in_time, "1",
                                                 "the same with electrons that screen in time"),
                     f"nu_{name}": Variable((f"nu_{name}",), found.nu, "Ha_h", "imaginary frequency")}
            if name == coupling and (not good or found.spectrum is None):
                status, reason = (Status.converged, UNSTABLE_CRYSTAL if name in CRYSTALS else UNSTABLE) if good else (
                    Status.not_converged, UNSETTLED)
    except Ended as end:
        status = end.status
    mine = next((level for level in levels if level.theory == coupling and level.stable), None)
    return MediatedPairingResult(
        status=status, reason=reason, coupling=coupling, levels=tuple(levels),
        superconducting=None if mine is None else bool(mine.tc_over_hartree),
        critical_temperature=None if mine is None else mine.critical_temperature,
        tc_over_hartree=None if mine is None else mine.tc_over_hartree,
        rs_electron=electron.rs, rs_hole=hole.rs, spacing_over_a_e=bilayer.spacing * bilayer.mass_ratio,
        hole_over_electron_mass=1 / bilayer.mass_ratio, data=data)


def _mediators(bilayer: Bilayer, liquids: Liquids, hooks: Hooks) -> Iterator[tuple[str, Mediated, bool]]:
    """Name, couplings and whether the local fields converged, of every theory that applies."""
    for name, field, good in _fields(liquids, hooks):
        found = mediated(liquids, field, name == "kukkonen-overhauser")
        yield name, found if good else replace(found, spectrum=None), good
    for name, local_field in CRYSTALS.items() if applies(bilayer) else ():
        hooks.look(f"what the holes add: {name}")
        crystal = crystal_coupling(bilayer, local_field)
        top = math.sqrt(float(np.abs(crystal.squared).max()))
        nu = np.concatenate([[0.0], np.geomspace(top / REACH, top * math.sqrt(REACH), FREQUENCIES)])
        if crystal.spectrum is None:  # with imaginary phonons lambda(nu) has poles at real nu
            nu = nu[:1]
        lam = crystal.at(nu)
        yield name, Mediated(crystal.mu, nu, lam, lam, crystal.spectrum), True


def _fields(liquids: Liquids, hooks: Hooks) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Name, L and whether it converged, of every theory of liquids."""
    none = np.zeros((len(liquids.grid.q), 2, 2))
    stls = None
    for name in LIQUIDS:
        hooks.look(f"what the holes add: {name}")
        if name in ("rpa", "hubbard"):
            yield name, none if name == "rpa" else hubbard(liquids), True
            continue
        stls = stls or Stls.of(liquids).solve()
        yield name, stls.field, stls.converged


def _level(bilayer: Bilayer, name: str, found: Mediated, rule: Any, fermi: float) -> CouplingLevel:
    """T_c of one theory. A repulsion below 0, where electrons overscreen, counts as none."""
    lam, spectrum, mu = float(found.lam[0]), found.spectrum, max(found.mu, 0.0)
    if spectrum is None:
        return CouplingLevel(name, lam, found.mu, False, None, None, None, None, None)
    star = float(pseudopotential(rule, mu, fermi, spectrum.top))
    t_c, scales = critical_temperature(spectrum, star), bilayer.scales
    moving = TabulatedCoupling(found.nu, found.in_time)
    retarded = rule == "morel-anderson"  # else mu* is given where the holes' frequencies end
    ends = {f"{x:g}": critical_temperature(moving, mu if retarded else star, x * fermi if retarded else spectrum.top)
            / bilayer.mass_ratio for x in CUTOFFS}
    return CouplingLevel(name, lam, found.mu, True, star, spectrum.omega_log, t_c / bilayer.mass_ratio,
                         t_c * scales.hartree_kelvin if scales.known else None, ends)
