"""Dai and Fu, Fig. 4: phases of two electrons per hole in the plane of a/a_B and d/a_B, from computed boundaries."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ehbilayer.figures import COLOURS, INK, NORMAL, SMALL, WARNING, dress, figure_of, new_figure
from ehbilayer.papers.dai_fu import classical_studies as classical
from ehbilayer.papers.dai_fu import plane as plane_
from ehbilayer.papers.dai_fu.unbinding import PUBLISHED, unbinding, unbinding_row
from ehbilayer.papers.dai_fu.unbinding import studies as unbinding_studies
from ehbilayer.papers.record import (
    DIFFERS,
    INPUT,
    MISSING,
    NEW,
    Axes,
    Figure,
    Reproduction,
    Results,
    Row,
    Studies,
    judged,
)

TRION_RS = (30.0, 40.0)  # of the trion crystal where it melts, as the paper takes it from one-component crystals
CALIBRATED = 0.30  # harmonic Lindemann ratio where quantum Monte Carlo melts the one-layer crystal, r_s = 31
A, D = (3.0, 2000.0), (1.0, 1000.0)  # a/a_B and d/a_B shown
REACH = (1.02, 130.0)  # a/d of the melting lines that are drawn
PIXELS = 500
SHADE = {plane_.DECOUPLED: "#D9D9D9", "tilted-diagonal": "#FCE3C5", "checkerboard": "#F9CFA5", "rhombic": "#BFE5D4",
         "honeycomb": "#BBD9EE", plane_.SUPERSOLID: "#E6DDF2", plane_.TRIONS: "#F7D5E6"}
LINE = {"dipole": "#009E73", "free_electron": COLOURS["electron"]}
WORDS = {"dipole": "dipoles melt", "free_electron": "free electrons melt"}


def studies(quick: bool) -> Studies:
    """Ground states, melting of each, decoupling; trion unbinding, which takes minutes, unless quick."""
    ratios = classical.spaced(*classical.UNCOUPLED, 3 if quick else 8)
    found: Studies = {"ground-states": classical.ground_states(quick)}
    found |= {f"phonons-{name}": classical.phonons(name, quick) for name in plane_.COMPOSITES}
    found |= {"phonons-triangular": classical.monolayer(),
              "uncoupled-energies": classical.energies(["tilted-diagonal"], ratios)}
    return found | unbinding_studies(quick)


def _plane(results: Results) -> plane_.Plane:
    return plane_.plane_of(results, unbinding(results)[0] or PUBLISHED, TRION_RS[1])


def draw(results: Results) -> Figure:
    """The plane with shaded phases, lines and names."""
    plane = _plane(results)
    page = new_figure(9.6, 7.2)
    ax = page.add_axes((0.075, 0.08, 0.905, 0.855))
    ax.set_xscale("log")
    ax.set_yscale("log")
    _shade(ax, plane)
    _rays(ax, plane)
    _melting(ax, plane)
    _trions(ax, plane, computed=unbinding(results)[0] is not None)
    _names(ax, plane)
    ax.set_xlim(*A)
    ax.set_ylim(*D)
    ax.legend(fontsize=SMALL, loc="upper left", framealpha=0.9)
    dress(ax, "two electrons per hole, equal masses (Dai and Fu, Fig. 4)", "a / a_B", "d / a_B")
    return page


def _shade(ax: Axes, plane: plane_.Plane) -> None:
    from matplotlib.colors import ListedColormap

    a, d = np.geomspace(*A, PIXELS), np.geomspace(*D, PIXELS)
    names = plane.phases(*np.meshgrid(a, d))
    order = ["undetermined", *SHADE]
    code = np.select([names == n for n in order], range(len(order)))
    ax.pcolormesh(a, d, code, cmap=ListedColormap(["white", *SHADE.values()]), vmin=-0.5, vmax=len(order) - 0.5,
                  shading="nearest", rasterized=True, zorder=0)


def _rays(ax: Axes, plane: plane_.Plane) -> None:
    """Classical transitions, lines of constant a/d, where the crystals are solid."""
    named = False
    for i, name in enumerate(plane_.COMPOSITES):
        ray = plane.ranges[name][0]
        start = max(float(plane.melting(g, np.array([ray]))[0]) for g in LINE)
        if i == 0:
            if plane.decoupling is None:
                continue
            start, word = math.sqrt(plane_.ELECTRONS) * plane.wigner, f"layers decouple, a/d = {ray:.3g} (estimate)"
        elif name in plane.transitions:
            word = "" if named else "classical transition, a/d as written"
            named = True
            _ray_number(ax, ray, below=name == "honeycomb")
        else:
            word = f"{name} unstable, a/d = {ray:.3g} (coarse)"
        ax.plot([start, A[1]], [start / ray, A[1] / ray], color=WARNING, linewidth=1.3, label=word or None,
                linestyle=":" if i == 0 else "-" if name in plane.transitions else "--")


def _ray_number(ax: Axes, ray: float, *, below: bool) -> None:
    """a/d beside its line, where it leaves the picture."""
    a = 0.8 * min(A[1], D[1] * ray)
    ax.annotate(f"{ray:.5g}", (a, a / ray), xytext=(0, -5 if below else 5), textcoords="offset points", ha="center",
                va="top" if below else "bottom", fontsize=SMALL, color=WARNING, rotation=_tilt(ax),
                rotation_mode="anchor")


def _melting(ax: Axes, plane: plane_.Plane) -> None:
    """Lindemann lines at the threshold, thin dashes where it is the calibrated one; above the trions' spacing."""
    shift = (plane.threshold / CALIBRATED) ** 4
    ray = np.unique(np.concatenate([s.a_over_d for s in plane.segments] + [np.geomspace(*REACH, PIXELS)]))
    for group, colour in LINE.items():
        a = plane.melting(group, ray)
        for factor, style, width in ((1.0, "-", 2.0), (shift, "--", 1.0)):
            d = a * factor / ray
            shown = np.where(d >= plane.unbinding, d, np.nan)
            ax.plot(a * factor, shown, color=colour, linewidth=width, linestyle=style, label=None if factor != 1 else
                    f"{WORDS[group]}, Lindemann {plane.threshold:g} (dashed: {CALIBRATED:g})")
    for where, word in ((plane.wigner, "holes"), (math.sqrt(plane_.ELECTRONS) * plane.wigner, "electrons")):
        low = where / (plane.decoupling or 1.0)
        ax.plot([where, where], [low, D[1]], color=COLOURS[word[:-1]], linewidth=1.4, linestyle="-.",
                label=f"{word} alone melt, Lindemann {plane.threshold:g}")


def _trions(ax: Axes, plane: plane_.Plane, *, computed: bool) -> None:
    source = "computed" if computed else "literature"
    ax.plot([plane.trion_melting, A[1]], [plane.unbinding] * 2, color="black", linewidth=1.8,
            label=f"trion unbinds, d = {plane.unbinding:.4g} a_B ({source})")
    low, high = (rs / plane_.TRION_MASS for rs in TRION_RS)
    ax.fill_betweenx([D[0], min(plane.unbinding, low)], low, high, facecolor="none", edgecolor="#CC79A7", hatch="////",
                     linewidth=0.8, label=f"trion crystal melts, rₛ = {TRION_RS[0]:g} to {TRION_RS[1]:g} (literature)")


def _names(ax: Axes, plane: plane_.Plane) -> None:
    def write(a: float, d: float, text: str, **more: Any) -> None:
        style: dict[str, Any] = {"fontsize": NORMAL, "color": INK, "ha": "center", "va": "center"}
        ax.text(a, d, text, **(style | more))

    write(210, 620, "decoupled\ncrystals")
    write(720, 310, "checkerboard\ncomposite crystal")
    write(950, 100, "honeycomb\ncomposite crystal")
    write(900, 18.3, "electron-exciton supersolid")
    write(150, 4, "trion crystal")
    write(5.4, 2.4, "trion liquid,\nor undetermined")
    write(12, 36, "liquids,\nundetermined")
    low, high = plane.ranges["tilted-diagonal"]
    write(400, 400 / math.sqrt(low * high), "tilted checkerboard", fontsize=SMALL, rotation=_tilt(ax),
          rotation_mode="anchor")
    low, high = plane.ranges["rhombic"]
    ax.annotate("rhombic", (420, 420 / math.sqrt(low * high)), xytext=(210, 105), fontsize=SMALL, color=INK,
                arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.7})


def _tilt(ax: Axes) -> float:
    """Angle on the page of a line d ~ a."""
    width, height = ax.get_position().size * figure_of(ax).get_size_inches()
    return math.degrees(math.atan2(height / math.log(D[1] / D[0]), width / math.log(A[1] / A[0])))


def rows(results: Results) -> list[Row]:
    """Trion unbinding, the classical boundaries, the laws of melting, and the inputs."""
    plane = _plane(results)
    found = [unbinding_row(results)]
    found += [classical.transition_row(below, above, plane.ranges[above][0], f"{plane.ranges[above][0]:.6g}")
              for below, above in pairwise(plane_.COMPOSITES) if above in plane.transitions]
    apart = plane.decoupling
    found.append(Row("layers decouple, a/d", "d >> a", f"{apart:.4g}, estimate" if apart else "",
                     NEW if apart else MISSING))
    last = plane.segments[-1]
    law = float(np.log(last.dipole[-1] / last.dipole[-2]) / np.log(last.a_over_d[-1] / last.a_over_d[-2]))
    law = 1 - 1 / law  # a ~ (a/d)^law along the line means d ~ a^(1 - 1/law)
    found.append(judged(f"dipoles melt: d ln d / d ln a at a/d = {last.a_over_d[-1]:g}", "1/2 (a_B ~ d^2/a)", law,
                        (0.45, 0.55), f"{law:.3f}"))
    free, shift = float(last.free_electron[-1]), (plane.threshold / CALIBRATED) ** 4
    found.append(Row("electrons melt at d << a: a/a_B", "order of a Wigner crystal's, 30 to 40",
                     f"{free:.3g} at Lindemann {plane.threshold:g}",
                     "agrees in order" if free * shift < 40 and free > 30 else DIFFERS,
                     f"{free * shift:.3g} at {CALIBRATED:g}"))
    text = " to ".join(f"{rs / plane_.TRION_MASS:.3g}" for rs in TRION_RS)
    return [*found, Row("trion crystal melts, a/a_B = r_s/3", f"r_s = {TRION_RS[0]:g} to {TRION_RS[1]:g}", text, INPUT)]


def caption(results: Results) -> str:
    """What is drawn, what is computed and what is taken over."""
    plane = _plane(results)
    trion = ("computed with correlated Gaussians" if unbinding(results)[0] is not None else
             "not computed here but taken from Witham, Hunt and Drummond, PRB 97, 075424 (2018)")
    return ("Equal masses, a = 1/sqrt(pi n_h), a_B = hbar^2 4 pi eps/(m e^2), logarithmic axes. Computed: the "
            "classical transitions (lines of constant a/d, cells of up to two holes); melting of the dipoles and of "
            "the free electrons in whichever composite crystal is lowest, by the harmonic zero-point motion of its "
            f"phonons at Lindemann ratio {plane.threshold:g} (shading and full lines) and {CALIBRATED:g} (dashed); "
            "melting of the triangular crystals of either layer alone; where those two have the energy of the tilted "
            "crystal (an estimate of decoupling: cells of up to 30 charges, not drawn, are lower below a/d = 1.011, "
            f"and electrons and holes still feel each other). Trion unbinding, d_c = {plane.unbinding:.4g} a_B, was "
            f"{trion}; it holds for a much larger than the trion. Taken from the literature: the Lindemann ratio "
            "(Astrakharchik et al., PRL 98, 060405 (2007) and arXiv:2012.14008; 0.30 is the harmonic ratio at r_s = "
            "31, where Drummond and Needs, PRL 102, 126402 (2009), melt the one-layer crystal) and r_s = 30 to 40 of "
            "the trion crystal, as in the paper; a trion has mass 3, so a/a_B = r_s/3. That melted dipoles in a solid "
            "of electrons are superfluid is the paper's proposal and was not computed; in the white regions nothing "
            f"was. Beyond a/d = {plane.segments[-1].a_over_d[-1]:g} melting is continued by its law. Lines are good to "
            "a factor of two.")


FIGURE = Reproduction("dai-fu:4", "phases at n_e/n_h = 2 in the plane of a/a_B and d/a_B",
                      "D. D. Dai and L. Fu, PRL 132, 196202 (2024), Fig. 4 (a sketch there)", studies, draw, rows,
                      caption)
