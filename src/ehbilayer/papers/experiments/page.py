"""Published numbers of electron-hole bilayers beside ours, each with an error, and what every ingredient does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ehbilayer.figures import COLOURS, SMALL, WARNING, dress
from ehbilayer.papers.experiments.devices import FLAVOURS, INGREDIENTS, UNKNOWN, WHOLE, slug, studies
from ehbilayer.papers.record import (
    AGREES,
    DIFFERS,
    MISSING,
    NEW,
    Figure,
    Reproduction,
    Results,
    Row,
    placed,
    titled,
)

QI = "Qi et al., Nat. Commun. 14, 8264 (2023)"
NGUYEN = "Nguyen et al., arXiv:2309.14940"
TRION = "Nguyen et al., arXiv:2312.12571"
SULPHIDE = "Qi et al., Science 390 (2025), doi 10.1126/science.adn4584"
DRAG = "Qi et al., arXiv:2309.15357"
IMAGED = "Cutshall et al., Sci. Adv. 11, eadr1772 (2025)"
WANG = "Wang et al., Nature 574, 76 (2019), doi 10.1038/s41586-019-1591-7"
PLASMA = "Wang et al., arXiv:2001.03812"
TRAPPED = "Nat. Commun. (2024), doi 10.1038/s41467-024-51128-9"
COHERENT = "arXiv:2106.03739"
MAGNETIC = "Nature Materials (2025), doi 10.1038/s41563-025-02334-3"
WEISS = 0.0578838  # Bohr's magneton in meV/T: hbar e B/m is twice that over the mass
IONISED, HALF_A_PRESENT = 70.0, 0.1  # K, measured; free carriers at a drag ratio of 0.9


def of(results: Results, name: str) -> Any:
    """The result of a study by the end of its name, None where it was left out."""
    return results.get(f"experiments-{name}")


def kelvin(found: Any) -> tuple[float, float]:
    """Half ionised and its error, by levels of theory, K."""
    if found.ionisation_screened is None:
        return 0.0, float("inf")
    return found.ionisation_screened.to("K"), found.ionisation_error.to("K")


def per_cm2(found: Any) -> tuple[float, float]:
    """Mott's density and its error, 1e12 cm^-2."""
    return found.mott_density.to("cm^-2") / 1e12, found.mott_error.to("cm^-2") / 1e12


def spread(results: Results, start: str, base: Any, value: Any) -> tuple[float, dict[str, float]]:
    """What the unknown parameters change, in quadrature, and each by its words; studies are named from ``start``."""
    each = {words: value(found) - value(base) for words in UNKNOWN
            if (found := of(results, f"{start}-{slug(words)}")) is not None}
    return math.sqrt(sum(x * x for x in each.values())), each


def beside(quantity: str, published: str, value: float, error: float, unit: str, measured: tuple[float, float],
           note: str = "") -> Row:
    """The row of a number that agrees if it lies within its error, and the measured one's, of ``measured``."""
    near = abs(value - measured[0]) <= math.hypot(error, measured[1])
    return Row(quantity, published, f"{value:.3g} +- {error:.2g} {unit}", AGREES if near else DIFFERS, note)


def rows(results: Results) -> list[Row]:
    """Published numbers first, then what each ingredient and each unknown parameter does."""
    return [*_excitons(results), *_trions(results), *_superfluid(results), *_contact(results), *_fields(results),
            *_ingredients(results), *_unknown(results)]


def _excitons(results: Results) -> list[Row]:
    found = []
    for name, n in ((slug(WHOLE), 0.2), (f"{slug(WHOLE)}-dense", 0.8)):
        one = of(results, name)
        value, error = kelvin(one)
        more = spread(results, "unknown", of(results, slug(WHOLE)), lambda r: kelvin(r)[0])[0]
        found.append(beside(f"half of the excitons ionised, 3 nm, {n:g}e12 cm^-2", f"about 70 K ({QI})", value,
                            math.hypot(error, more), "K", (IONISED, 5.0),
                            f"levels of theory {error:.2g} K, device {more:.2g} K; ideal gases "
                            f"{one.ionisation.to('K'):.0f} K"))
    one = of(results, slug(WHOLE))
    value, error = per_cm2(one)
    more = spread(results, "unknown", one, lambda r: per_cm2(r)[0])[0]
    found.append(beside("Mott density, 3 nm, two flavours", f"about 0.8e12 cm^-2 ({QI})", value,
                        math.hypot(error, more), "1e12 cm^-2", (0.8, 0.05),
                        f"levels of theory {error:.2g}, device {more:.2g}"))
    for g in FLAVOURS:
        if g != 2:
            value, error = per_cm2(of(results, f"flavours-{g}"))
            found.append(Row(f"Mott density, 3 nm, {g} flavour{'s' * (g > 1)} of each", "",
                             f"{value:.3g} +- {error:.2g} 1e12 cm^-2", NEW))
    return found


def _trions(results: Results) -> list[Row]:
    found = []
    one, bare = of(results, "trion-two-nm"), of(results, "trion-bare")
    value = one.binding_energy.to("meV")
    error = math.hypot(spread(results, "trion-unknown", one, lambda r: r.binding_energy.to("meV"))[0],
                       one.uncertainty.to("meV"))
    found.append(beside("trion of an electron and two holes, 2 nm", f"about 1 meV ({TRION})", value, error, "meV",
                        (1.0, 0.3), f"bare 1/r in 4.7: {bare.binding_energy.to('meV'):.3g} meV"))
    holes, electrons, triplet = (of(results, f"trion-sulphide{end}") for end in ("", "-electrons", "-triplet"))
    gap = holes.binding_energy.to("meV") - (triplet.binding_energy.to("meV") if triplet.bound else 0.0)
    found.append(beside("spin gap of the trion with two holes, MoS2, 2 nm assumed", f"about 1 meV ({SULPHIDE})", gap,
                        error * gap / value, "meV", (1.0, 0.3),
                        f"triplet {'bound' if triplet.bound else 'unbound: the gap is the binding energy'}"))
    found.append(Row("trions of either sign, MoS2", f"yes ({SULPHIDE})", ", ".join(
        f"two {name}: {one.binding_energy.to('meV'):.3g} meV" if one.bound else f"two {name}: not bound"
        for name, one in (("holes", holes), ("electrons", electrons))),
        AGREES if holes.bound and electrons.bound else DIFFERS))
    return found


def cold_enough(found: Any, share: float) -> float:
    """The temperature (K) at which this share of the carriers is free, with screening."""
    t, degree = found.data["ionisation_temperature"].values, found.data["degree_screened"].values
    return float(np.interp(share, np.maximum.accumulate(degree), t)) * found.provenance.scales.hartree_kelvin


def _superfluid(results: Results) -> list[Row]:
    one, shared = (of(results, f"superfluid-{spin}") for spin in ("polarized", "restricted"))
    two = of(results, "two-nm")
    free = cold_enough(two, HALF_A_PRESENT)
    value, error = kelvin(two)
    relative = error / value
    bound, t = one.bkt_bound.to("K"), one.bkt.to("K")
    per = bound / 0.8
    return [
        beside("drag ratio of 0.9: a tenth of the carriers free, 2 nm, 0.2e12 cm^-2", f"up to about 20 K ({NGUYEN})",
               free, relative * free, "K", (20.0, 3.0), "contacts, disorder and friction are not in ours"),
        Row("perfect drag without superfluidity", f"to about 15 K, counterflow resistance finite ({DRAG})",
            f"T_BKT {t:.3g} K of one condensate at 0.8e12 cm^-2 (at most {bound:.3g}), {shared.bkt.to('K'):.3g} K of "
            "two; excitons bound far above", AGREES),
        Row("superfluid, imaged", f"to 15 K ({IMAGED})", f"needs at least {15 / per:.2g}e12 cm^-2 in one condensate, "
            f"{30 / per:.2g}e12 in two", NEW, "the density there was not in what we read"),
        Row("electroluminescence of condensed excitons", f"above 100 K, up to 1e12 cm^-2 ({WANG})",
            f"T_BKT at most {per:.3g} K at 1e12 cm^-2", DIFFERS)]


def _contact(results: Results) -> list[Row]:
    one = of(results, "contact")
    value, error = per_cm2(one)
    binding = one.exciton_binding.to("meV")
    return [
        Row("exciton of layers in contact", f"about 250 meV ({COHERENT})", f"{binding:.3g} meV, error not known",
            DIFFERS, "BN as a continuum down to 0.65 nm, which is no answer for layers in contact"),
        beside("Mott density, layers in contact", f"about 3e12 cm^-2 ({PLASMA})", value, error, "1e12 cm^-2",
               (3.0, 1.0), f"another sample: above 2e12 cm^-2 ({TRAPPED})")]


def _fields(results: Results) -> list[Row]:
    one = of(results, slug(WHOLE))
    binding = one.exciton_binding.to("meV")
    field = binding * 0.4 / (2 * WEISS)
    return [Row("field at which the cyclotron energy of the holes is the binding energy, 3 nm",
                f"oscillations beyond it ({MAGNETIC}); no number in what we read", f"{field:.0f} T of a lone exciton "
                f"({binding:.3g} meV), less the denser", NEW, "orbital effects are not computed here")]


def _ingredients(results: Results) -> list[Row]:
    found = []
    for words in INGREDIENTS:
        parts = []
        for end, n in (("", 0.2), ("-dense", 0.8)):
            one = of(results, slug(words) + end)
            if one is None:
                continue
            value, error = kelvin(one)
            linear = (one.ionisation_levels or {}).get("linear response")
            parts.append(f"{n:g}e12: {one.ionisation.to('K'):.0f} K ideal, {value:.0f} +- {error:.0f} K screened, "
                         f"{0 if linear is None else linear.to('K'):.0f} K linear")
        one = of(results, slug(words))
        mott, error = per_cm2(one)
        found.append(Row(f"3 nm, {words}", "", f"exciton {one.exciton_binding.to('meV'):.1f} meV; {'; '.join(parts)}",
                         NEW, f"Mott {mott:.2g} +- {error:.2g} 1e12 cm^-2"))
    for g in FLAVOURS:
        one = of(results, slug(WHOLE) if g == 2 else f"flavours-{g}")
        value, error = kelvin(one)
        found.append(Row(f"3 nm, {g} flavour{'s' * (g > 1)} of each, 0.2e12 cm^-2", "",
                         f"{one.ionisation.to('K'):.0f} K ideal, {value:.0f} +- {error:.0f} K screened", NEW))
    one = of(results, "with-trions")
    value, error = kelvin(one)
    found.append(Row("3 nm, with trions, 0.2e12 cm^-2", "", f"{one.ionisation.to('K'):.0f} K ideal, {value:.0f} +- "
                     f"{error:.0f} K screened", NEW))
    levels = of(results, slug(WHOLE)).ionisation_levels
    return [*found, *(Row(f"level of theory, 0.2e12 cm^-2: {name}", "", f"{0 if t is None else t.to('K'):.0f} K", NEW)
                      for name, t in levels.items())]


def _unknown(results: Results) -> list[Row]:
    heat = spread(results, "unknown", of(results, slug(WHOLE)), lambda r: kelvin(r)[0])[1]
    mott = spread(results, "unknown", of(results, slug(WHOLE)), lambda r: per_cm2(r)[0])[1]
    trion = spread(results, "trion-unknown", of(results, "trion-two-nm"), lambda r: r.binding_energy.to("meV"))[1]
    if not heat:
        return [Row("what unknown parameters change", "", "", MISSING)]
    return [Row(f"change: {words}", "", f"ionisation {heat[words]:+.1f} K, Mott {mott[words]:+.2f}e12 cm^-2, trion at "
                f"2 nm {trion[words]:+.3f} meV", NEW) for words in heat]


def draw(results: Results) -> Figure:
    """Ionisation by ingredient, and the Mott density by flavours, beside the measured ones."""
    page = titled(10.4, 4.6, "WSe₂/hBN/MoSe₂, 3 nm: what brings excitons to ionise where experiment has it")
    ax = placed(page, 2.3, 0.75, 4.3, 3.2)
    y = np.arange(len(INGREDIENTS))[::-1]
    for shift, end, n, alpha in ((0.13, "", 0.2, 1.0), (-0.13, "-dense", 0.8, 0.45)):
        have = [(at, one) for at, words in zip(y, INGREDIENTS, strict=True)
                if (one := of(results, slug(words) + end)) is not None]
        at = np.array([a for a, _ in have]) + shift
        value, error = np.array([kelvin(one) for _, one in have]).T
        ax.plot([one.ionisation.to("K") for _, one in have], at, "o", mfc="none", color=COLOURS["electron"],
                alpha=alpha, label=f"ideal gases, {n:g}e12 cm⁻²")
        ax.errorbar(value, at, xerr=error, fmt="o", capsize=3, color=COLOURS["hole"], alpha=alpha,
                    label=f"screened, {n:g}e12 cm⁻²")
        low = [(one.ionisation_levels["linear response"], a) for (_, one), a in zip(have, at, strict=True)]
        ax.plot([x.to("K") for x, _ in low if x is not None], [a for x, a in low if x is not None], "|", color="grey",
                alpha=alpha, label=f"linear response, {n:g}e12 cm⁻²")
    ax.axvline(IONISED, color=WARNING, linewidth=1.2)
    ax.set_yticks(y, list(INGREDIENTS))
    ax.set_xlim(0, 700)
    ax.legend(fontsize=SMALL - 1, frameon=False, loc="lower right")
    dress(ax, "half of the excitons ionised; line: measured, 70 K", "temperature (K)", "")
    right = placed(page, 7.5, 0.75, 2.6, 3.2)
    ends = [of(results, slug(WHOLE) if g == 2 else f"flavours-{g}") for g in FLAVOURS]
    value, error = np.array([per_cm2(one) for one in ends]).T
    right.errorbar(range(len(FLAVOURS)), value, yerr=error, fmt="o", capsize=3, color=COLOURS["hole"])
    right.axhline(0.8, color=WARNING, linewidth=1.2)
    right.set_xticks(range(len(FLAVOURS)), [str(g) for g in FLAVOURS])
    right.set_xlim(-0.5, len(FLAVOURS) - 0.5)
    right.set_ylim(bottom=0)
    dress(right, "Mott density; line: measured", "flavours of each carrier", "10¹² cm⁻²")
    return page


def caption(results: Results) -> str:
    """What is drawn."""
    return ("Left: the temperature at which half of the excitons of WSe2/MoSe2 3 nm apart are ionised, by what "
            "screens: ideal mass action, pairs screened by the free carriers (error: levels of theory), and linear "
            "response alone, at 0.2e12 and 0.8e12 cm^-2. Right: the density of carriers, all of them free, above "
            "which no pair is bound at T = 0, in BN with polarisable layers and gates at 10 nm. Published numbers are "
            "those of abstracts; distances and gates that these do not say are ours, and what they change is in the "
            "errors.")


FIGURE = Reproduction("experiments", "published numbers of devices beside ours, with errors",
                      "sources in the table", studies, draw, rows, caption)
