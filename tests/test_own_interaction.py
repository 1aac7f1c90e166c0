"""Interactions of one's own: the limits that are asked of them, and where they are used."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from ehbilayer import Bilayer, Coulomb, InputError, Interaction, Screened, Torus, hartree_fock


@dataclass(frozen=True)
class Own(Interaction):
    """Any v(q, distance) with limits of its own."""

    spacing: float
    function: Callable[[np.ndarray, float], np.ndarray]
    c: float = 0.0
    h: Callable[[float], float] = field(default=lambda d: 0.0)
    name = "toy"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        safe = np.where(q > 0, q, 1.0)
        return np.where(q > 0, self.function(safe, self.distance(a, b)), 0.0)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return self.c, self.h(self.distance(a, b))


def coulomb(q: np.ndarray, d: float) -> np.ndarray:
    return 2 * np.pi * np.exp(-q * d) / q


@pytest.mark.parametrize(("function", "c", "h", "message"), [
    (coulomb, 2 * np.pi, lambda d: 2 * np.pi * d, "c/q . h at q -> 0"),
    (coulomb, 0.0, lambda d: 0.0, "c/q . h at q -> 0"),
    (lambda q, d: 1 / (q * q), 0.0, lambda d: 0.0, "c/q . h at q -> 0"),
    (lambda q, d: 3.0 + 0 * q, 0.0, lambda d: 3.0, "v.q. -> 0 at large q"),
    (lambda q, d: -np.exp(-q) * np.exp(-d), 0.0, lambda d: -np.exp(-d), "v_ab.q. >= 0"),
    (lambda q, d: np.exp(-q * q) * (1 + d), 0.0, lambda d: 1 + d, "v_ab.q. >= 0"),
    (lambda q, d: np.full_like(q, np.nan), 0.0, lambda d: 0.0, "finite v.q. of the shape"),
    (lambda q, d: 1.0, 0.0, lambda d: 1.0, "v.q. -> 0 at large q")])
def test_wrong_limits_are_one_line(function, c, h, message) -> None:
    with pytest.raises(InputError, match=f"^interaction: must be .*{message}.* for toy") as error:
        Bilayer.of(rs_hole=8, electron_mass=0.5, hole_mass=1.0, interaction=Own(1.0, function, c, h))
    assert "\n" not in str(error.value)


def test_an_interaction_of_ones_own_is_the_same_as_ours() -> None:
    """Coulomb's and that between gates, written anew, give the same states; slopes by differences."""
    gates = Screened(1.0, gate_top=4.0, gate_bottom=3.0)

    def between(q: np.ndarray, d: float) -> np.ndarray:
        # both layers as far from the gates as makes the matrix one of distances: 3 and 3 apart
        return np.asarray(symmetric.v(q, 0, int(d > 0)))

    symmetric = Screened(1.0, gate_top=3.0, gate_bottom=3.0)
    own = {"coulomb": (Coulomb(1.0), Own(1.0, coulomb, 2 * np.pi, lambda d: -2 * np.pi * d)),
           "gates": (symmetric, Own(1.0, between, 0.0, lambda d: symmetric.long_wave(0, int(d > 0))[1]))}
    assert gates.finite
    for ours, theirs in own.values():
        found = [hartree_fock(Torus(Bilayer.of(rs_hole=8, electron_mass=0.5, hole_mass=1.0, interaction=interaction),
                                    holes=4, zero_mode="none"), "hole-crystal", symmetry="crystal", hexagon=5)
                 for interaction in (ours, theirs)]
        assert found[0].total_energy == pytest.approx(found[1].total_energy, rel=1e-11)
        assert found[0].pressure == pytest.approx(found[1].pressure, rel=1e-8)
