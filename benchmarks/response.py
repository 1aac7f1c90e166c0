"""Seconds of the processor: loss function of 200 x 400 points cold and warm, STLS, T_c by a computed coupling.

    OPENBLAS_NUM_THREADS=1 python benchmarks/response.py
"""

import time
from collections.abc import Callable

from ehbilayer import pairing, response
from ehbilayer.model import Bilayer


def seconds(work: Callable[[], object]) -> float:
    """The least of three, of the processor."""
    found = []
    for _ in range(3):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    for temperature in ("0 K", "4 K", "20 K", "100 K"):
        bilayer = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2", temperature=temperature)
        alone = seconds(lambda b=bilayer: response(b, wave_numbers=0))
        for n in (200, 400):
            whole = seconds(lambda b=bilayer, n=n: response(b, wave_numbers=200, frequencies=n))
            print(f"{temperature:5s} response {alone:6.2f} s, and its loss function 200 x {n} {whole - alone:6.2f} s")
    bilayer = Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.6)
    print(f"STLS {seconds(lambda: response(bilayer, approximation='stls', wave_numbers=0)):6.2f} s")
    for coupling in ("rpa", "hubbard", "stls", "kukkonen-overhauser", "crystal"):
        print(f"T_c, {coupling:20s} {seconds(lambda c=coupling: pairing(bilayer, coupling=c)):6.2f} s")


if __name__ == "__main__":
    main()
