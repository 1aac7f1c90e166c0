"""Classical trions in saved crystals: their distances and energies, their unstable mode, and the limit of one alone."""

from __future__ import annotations

import numpy as np

from ehbilayer import Result
from ehbilayer.papers.densities import nearest

SEPARATIONS = [8.0, 10.0, 12.0, 16.0, 20.0, 24.0, 30.0]  # a/d of crystals that are extrapolated to one trion alone
DEGREE = 5  # of the polynomial in d/a
SMALL = 1e-3  # of the largest frequency: what round-off leaves of a zero, as its square root


def unstable_modes(result: Result) -> np.ndarray:
    """Frequencies of the unstable modes at zero wave vector of a phonon study, negative by convention, (m,)."""
    gamma = result.data["gamma"].values
    found: np.ndarray = gamma[gamma < -SMALL * np.abs(gamma).max()]
    return found


def rotation_curvature(result: Result) -> float:
    """omega^2 in e^2/(m_h d^3) of turning all trions of a crystal with one trion per cell, a Rayleigh quotient.

    Both electrons move at right angles to their axis, to opposite sides: u. With the modes u_b at zero wave vector it
    is sum_b omega_b^2 (u_b m u)^2 / (u m u), equal masses.
    """
    arms, electrons = trion_arms(result)
    move = np.zeros_like(result.data["positions"].values)
    move[electrons] = np.stack([-arms[:, 1], arms[:, 0]], axis=1)
    shares = np.tensordot(result.data["gamma_displacements"].values, move, 2) ** 2 / np.sum(move**2)
    gamma = np.asarray(result.data["gamma"].values)
    return float(shares @ (np.sign(gamma) * gamma**2))


def unstable_displacements(result: Result) -> np.ndarray:
    """Displacements (n, 2) of the charges in the lowest mode at zero wave vector, the longest of length 1."""
    move = result.data["gamma_displacements"].values[0]
    found: np.ndarray = move / np.linalg.norm(move, axis=1).max()
    return found


def trion_arms(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Vectors from the hole to its two nearest electrons (2, 2) in a_h, and which charges these are, (2,)."""
    data = {k: result.data[k].values for k in ("positions", "vectors", "species")}
    electrons = np.flatnonzero(data["species"].astype(str) == "electron")
    hole = np.flatnonzero(data["species"].astype(str) == "hole")[:1]
    arms = nearest(data["positions"][hole], data["positions"][electrons], data["vectors"])[0]
    near = np.argsort(np.linalg.norm(arms, axis=1))[:2]
    return arms[near], electrons[near]


def alone(result: Result, values: np.ndarray) -> float:
    """The limit d/a -> 0 of values along a sweep over a/d, by a polynomial."""
    x = 1 / result.data["a_over_d"].values
    return float(np.polynomial.Polynomial.fit(x, values, DEGREE)(0.0))


def half_lengths(result: Result) -> np.ndarray:
    """Mean in-plane distance r/d from hole to electron along a sweep of crystals with one trion per cell."""
    data = {k: result.data[k].values for k in ("positions", "vectors", "charges", "spacing")}
    return np.array([np.linalg.norm(nearest(p[q > 0], p[q < 0], c)[0], axis=-1).mean() / d
                     for p, c, q, d in zip(*data.values(), strict=True)])
