"""What screening costs: set-up and one evaluation of Hartree-Fock, and the condensate of the plane, against Coulomb.

The processor's time of this thread, so that neighbours on the machine do not count; evaluations of both interactions
alternate and the median of their ratios is told, the set-up is the first one of an interaction that nothing is kept of.

    python benchmarks/screening.py [--repeats 40]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from ehbilayer import Bilayer, Coulomb, Interaction, Screened, Torus, condensate
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves
from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.terms import Setting

HOLES = 36
DEVICES = {
    "gates": Screened(4.4, 6.93, 3.76, 14.8, 14.8), "sheets": Screened(4.4, 6.93, 3.76, None, None, 39.0, 34.0),
    "all, thin": Screened(1.5, 6.93, 3.76, 14.8, 14.8, 39.0, 34.0),
    "all": Screened(4.4, 6.93, 3.76, 14.8, 14.8, 39.0, 34.0),
    "all, wide, thick": Screened(12.0, 6.93, 3.76, 50.0, 5.0, 39.0, 34.0, 0.9)}


def spent(f: Callable[[], object]) -> float:
    """Seconds of the processor."""
    start = time.thread_time()
    f()
    return time.thread_time() - start


def torus_of(interaction: Interaction) -> Torus:
    """Electrons and holes at r_s = 8, one flavour."""
    bilayer = Bilayer.of(rs_hole=8, electron_mass=0.5, hole_mass=1.0, interaction=interaction)
    return Torus(bilayer, holes=HOLES, zero_mode="madelung", electron_spin="polarized")


def made(torus: Torus) -> tuple[Hamiltonian, tuple[np.ndarray, ...]]:
    """The Hamiltonian of a crystal, as `hartree_fock` makes it, and a state."""
    basis = PlaneWaveBasis(torus.box, hexagon_waves(torus.box, 12), crystal_cell(torus.box, HOLES))
    begin = guess(torus, basis, "crystal")
    state = tuple(orthonormalise(np, x[None]) for x in begin.frames)
    return Hamiltonian(Setting(basis, Fourier(), [torus], begin.fillings)), state


def ready(torus: Torus) -> None:
    """The same up to the first energy, which asks for v(q), its slopes and the Madelung elements."""
    hamiltonian, state = made(torus)
    hamiltonian.evaluate(state)
    for a in range(2):
        for b in range(2):
            torus.bilayer.interaction.zero_mode_area_bend(torus.box.vectors, a, b)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=40)
    repeats, told = parser.parse_args().repeats, {}
    spent(lambda: ready(torus_of(Coulomb(2.0))))  # imports
    for name, screened in DEVICES.items():
        bare = torus_of(Coulomb(screened.spacing))
        first = spent(lambda t=bare: ready(t))
        setup = spent(lambda s=screened: ready(torus_of(s)))
        (one, x), (other, y) = made(bare), made(torus_of(screened))
        ratios = []
        for _ in range(repeats):
            both = [spent(lambda h=h, z=z: [h.evaluate(z) for _ in range(5)]) for h, z in ((one, x), (other, y))]
            ratios.append(both[1] / both[0])
        bilayers = [Bilayer.of(rs_hole=8, electron_mass=0.5, hole_mass=1.0, interaction=i)
                    for i in (Coulomb(screened.spacing), screened)]
        plane = [spent(lambda b=b: condensate(b, curve_points=0)) for b in bilayers]
        told[name] = {"setup_s": round(setup, 3), "setup_coulomb_s": round(first, 3),
                      "evaluation_ratio": round(statistics.median(ratios), 3),
                      "plane_s": round(plane[1], 3), "plane_coulomb_s": round(plane[0], 3)}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
