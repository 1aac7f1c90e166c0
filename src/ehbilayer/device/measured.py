"""What one would measure on a device: the numbers of a page in the units of experiments, each with its error.

A quantity that is not computed here says so, and why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ehbilayer.device.result import THERMAL, DeviceResult, Measurable
from ehbilayer.few_body.result import ComplexResult
from ehbilayer.model import Bilayer

BOUND = ("condensate", "crystal", "trion-crystal")  # phases in which electrons and holes are bound to each other
EXCITON = "exciton"  # parts of the page
TRIONS = {"trion-": "two electrons and a hole", "trion+": "two holes and an electron"}


def measured(bilayer: Bilayer, page: DeviceResult) -> tuple[Measurable, ...]:
    """All quantities, of what the page knows so far."""
    return (*_gaps(bilayer, page), *_binding(bilayer, page), *_mott(bilayer, page), *_stiffness(bilayer, page),
            *_ionisation(bilayer, page),
            Measurable("Coulomb drag", note="not computed: no theory of transport"))


def _gaps(bilayer: Bilayer, page: DeviceResult) -> Iterator[Measurable]:
    """From levels of the mean-field state: of a liquid the spacing of levels on this torus, which is no gap."""
    scale = bilayer.scales.hartree_meV
    for name, gap in page.gap.items():
        if gap is None:
            continue
        said = f"charge gap, {name}s"
        liquid = page.phase == "liquid" or (page.phase or "") == f"{other(name)}-crystal"
        if liquid:
            yield Measurable(said, 0.0, "meV", None, "transport; a liquid has none in a large sample")
        else:
            what = "to break a pair" if page.phase == "condensate" else "mean field, of this torus: too large"
            yield Measurable(said, float(gap) * scale, "meV", None, f"transport; {what}")


def other(name: str) -> str:
    """The carriers of the other layer."""
    return {"electron": "hole", "hole": "electron"}.get(name, name)


def _binding(bilayer: Bilayer, page: DeviceResult) -> Iterator[Measurable]:
    scale = bilayer.scales.hartree_meV
    for part in (EXCITON, *TRIONS):
        if part not in page.parts:
            continue
        found = page.part("few-body", part)
        assert isinstance(found, ComplexResult)
        said = "exciton binding" if part == EXCITON else f"{part[:-1]} binding"
        if found.binding_energy is None or found.bound is False:
            yield Measurable(said, 0.0 if found.bound is False else None, "meV", None,
                             "not bound" if found.bound is False else "not decided")
            continue
        error = None if found.uncertainty is None else float(found.uncertainty) * scale
        yield Measurable(said, float(found.binding_energy) * scale, "meV", error,
                         f"optics; {TRIONS.get(part, 'one')} alone, " + (
                             "in the screened interaction" if bilayer.interaction.name == "screened" else
                             "in a bare Coulomb interaction: screening lowers it"))


def _mott(bilayer: Bilayer, page: DeviceResult) -> Iterator[Measurable]:
    """The density above which electrons and holes are bound no more, by the phases and by screening."""
    said, per_cm2 = "Mott density", bilayer.scales.density_per_cm2(1.0)
    ends = next((t for t in page.transitions if t.below in BOUND and t.above not in BOUND), None)
    if ends is not None:
        yield Measurable(said, float(ends.density) * per_cm2, "cm^-2", float(ends.uncertainty) * per_cm2,
                         f"optics, capacitance; mean field, {ends.below} to {ends.above}")
    elif page.sequence:
        yield Measurable(said, note="no phase of bound carriers ends in this range of densities")
    found = page.thermal if THERMAL in page.parts else None
    if found is not None and found.mott_density is not None:
        error = None if found.mott_error is None else float(found.mott_error) * per_cm2
        yield Measurable(f"{said}, screened pairs", float(found.mott_density) * per_cm2, "cm^-2", error,
                         "free carriers bind no pair above it at T = 0; error: what levels of theory span")
    elif not page.sequence:
        yield Measurable(said, note='not computed: give a range of densities, "0.1e12 .. 3e12 cm^-2"')


def _ionisation(bilayer: Bilayer, page: DeviceResult) -> Iterator[Measurable]:
    """The temperature at which half of the excitons are ionised."""
    found, kelvin = page.thermal if THERMAL in page.parts else None, bilayer.scales.hartree_kelvin
    if found is not None and found.ionisation_screened is not None:
        yield Measurable("exciton ionisation", float(found.ionisation_screened) * kelvin, "K",
                         None if found.ionisation_error is None else float(found.ionisation_error) * kelvin,
                         "optics, capacitance; half ionised, see below")


def _stiffness(bilayer: Bilayer, page: DeviceResult) -> Iterator[Measurable]:
    """Compressibility of the light carriers, and temperatures."""
    if page.alpha_squared is None:
        yield Measurable("inverse compressibility",
                         note=(page.no_pairing or "not asked: no source of alpha^2").replace("asked", "computed", 1))
    else:
        error = page.alpha_squared_uncertainty
        yield Measurable("inverse compressibility", float(page.alpha_squared), "1",
                         None if error is None else float(error), "capacitance; over that of the free gas, "
                         f"{page.pairs}s on the crystal of the {other(page.pairs or '')}s, without the capacitor"
                         + ("" if page.in_el_hc else "; NOT the lowest phase here"))
    if page.phase == "condensate":
        # k_B T_BKT <= (pi/2) n/M, Nelson and Kosterlitz, PRL 39, 1201 (1977): all pairs superfluid, M = m_e + m_h
        hole, electron = bilayer.carrier("hole"), bilayer.carrier("electron")
        pairs = min(hole.density, electron.density)
        bound = math.pi / 2 * pairs / (hole.mass + electron.mass) * bilayer.scales.hartree_kelvin
        yield Measurable("T_BKT", bound, "K", None, "superfluidity; an upper bound: all pairs superfluid")
    elif page.critical_temperature is not None:
        band = page.critical_temperature_band
        half = None if band is None else (float(band.high) - float(band.low)) / 2
        yield Measurable(f"T_c of the {page.pairs}s", float(page.critical_temperature), "K", half,
                         f"{page.method}; only within the crystal of the other carriers")
