"""Phases of a device over its density, what one would measure, and the questions that `ehb device` understands."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ehbilayer import Bilayer
from ehbilayer.device.measured import measured
from ehbilayer.device.result import DeviceResult, ScanPoint
from ehbilayer.device.sequence import at_density, range_of, ranges, scan, transitions
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.results.base import Carriers, Provenance
from ehbilayer.status import Status
from ehbilayer.studies.device.question import bare_length, study_of
from ehbilayer.studies.device.table import rows
from ehbilayer.units import Scales

NOBODY: Carriers[int] = Carriers({"electron": 4, "hole": 4})
SHIFT = 1e-3  # numerical error of every made-up margin


def competition(density: float, curves: dict[str, float], error: float = SHIFT) -> CompetitionResult:
    """Phases with E/N = slope ln(n): straight lines in the coordinate of the scan, which cross where they should."""
    energies = {name: at(math.log(density)) for name, at in LINES.items() if name in curves}
    table = tuple(CandidateRow(name=n, status=Status.converged, energy=e, phase=n) for n, e in energies.items())
    order = sorted(energies, key=lambda name: energies[name])
    margin = energies[order[1]] - energies[order[0]]
    return CompetitionResult(
        status=Status.converged, energies=energies, statuses=dict.fromkeys(energies, "converged"),
        ended_as={n: n for n in energies}, winner=order[0], runner_up=order[1], margin=margin, numerical_error=error,
        resolved=margin > error, lowest_energy=energies[order[0]], saddles=(), cautions=(), candidates=table,
        particles=NOBODY, area=1.0, zero_mode="none")


LINES: dict[str, Any] = {"condensate": lambda x: -1.0 + 0.30 * (x + 4), "crystal": lambda x: -0.9 + 0.10 * (x + 4),
                         "liquid": lambda x: -0.7 - 0.05 * (x + 4)}
FIRST, SECOND = math.exp(-3.5), math.exp(-4 + 0.2 / 0.15)  # where condensate and crystal, crystal and liquid cross


def test_transitions_lie_where_the_energies_cross() -> None:
    told: list[float] = []

    def compete(density: float, hooks: Hooks) -> CompetitionResult:
        told.append(density)
        return competition(density, LINES)

    grid = range_of((math.exp(-5), math.exp(-1)), 5, Scales(), "densities")
    points, stopped = scan(compete, grid, (), Hooks(), lambda found: None)
    found = list(transitions(points))
    assert stopped is None and [(t.below, t.above) for t in found] == [("condensate", "crystal"), ("crystal", "liquid")]
    assert [t.density for t in found] == pytest.approx([FIRST, SECOND], rel=1e-6)
    # the error of the margin over the slope of the lead is the least that an error may be
    for t, slope in zip(found, (0.20, 0.15), strict=True):
        assert SHIFT / slope * 0.99 * t.density < t.uncertainty < 0.03 * t.density
    assert [(r.phase) for r in ranges(points, found)] == ["condensate", "crystal", "liquid"]
    assert len(told) <= 5 + 2 * 4 and len(set(told)) == len(told)
    # a narrow phase between two points of the grid is found on the way
    coarse, _ = scan(compete, (math.exp(-5), math.exp(-1)), (), Hooks(), lambda found: None)
    assert [(t.below, t.above) for t in transitions(coarse)] == [("condensate", "crystal"), ("crystal", "liquid")]


def test_the_error_covers_where_the_phases_really_change() -> None:
    """Energies shifted within their numerical error move the transition by no more than is stated."""
    rng, inside = np.random.default_rng(2), 0
    for _ in range(60):
        shift = dict(zip(LINES, rng.normal(size=3) * SHIFT, strict=True))

        def compete(density: float, hooks: Hooks, shift: dict[str, float] = shift) -> CompetitionResult:
            x = math.log(density)
            energies = {n: at(x) + shift[n] + 0.003 * math.sin(3 * x + 2 * len(n)) for n, at in LINES.items()}
            order = sorted(energies, key=lambda n: energies[n])
            table = tuple(CandidateRow(name=n, status=Status.converged, energy=e, phase=n) for n, e in energies.items())
            return replace(competition(density, LINES, error=2 * SHIFT), energies=energies, winner=order[0],
                           runner_up=order[1], candidates=table)

        points, _ = scan(compete, range_of((math.exp(-5), math.exp(-3)), 3, Scales(), "densities"), (), Hooks(),
                         lambda found: None)
        (found,) = transitions(points)
        unshifted = _root(lambda x: (LINES["crystal"](x) + 0.003 * math.sin(3 * x + 14))
                          - (LINES["condensate"](x) + 0.003 * math.sin(3 * x + 20)))
        inside += abs(found.density - math.exp(unshifted)) <= found.uncertainty
    assert inside >= 40  # two thirds


def _root(lead: Any) -> float:
    from scipy.optimize import brentq

    return float(brentq(lead, -5, -3))


def test_a_stopped_scan_goes_on_where_it_was() -> None:
    asked: list[float] = []

    def compete(density: float, hooks: Hooks) -> CompetitionResult:
        asked.append(density)
        made = competition(density, LINES)
        return made if len(asked) < 4 else replace(made, status=Status.timeout)

    grid = range_of((math.exp(-5), math.exp(-1)), 5, Scales(), "densities")
    kept: list[tuple[ScanPoint, ...]] = []
    points, stopped = scan(compete, grid, (), Hooks(), kept.append)
    assert stopped is Status.timeout and len(points) == 3 == len(kept[-1])
    again: list[float] = []
    rest, _ = scan(lambda n, hooks: again.append(n) or competition(n, LINES),  # type: ignore[func-returns-value]
                   grid, points, Hooks(), lambda found: None)
    assert not set(again) & set(asked[:3]) and len(rest) > 5


def test_ranges_are_checked() -> None:
    for ends in ((2.0, 1.0), (0.0, 1.0), (1.0,), ("1e12 cm^-2", "2e12 cm^-2")):
        with pytest.raises(InputError, match="densities"):
            range_of(ends, 3, Scales(), "densities")
    moved = at_density(Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2", electrons_per_hole=2), 0.01)
    assert moved.carrier("hole").density == 0.01 and moved.carrier("electron").density == pytest.approx(0.02)


def test_questions_of_the_command_line() -> None:
    device = {"material": "WSe2/MoSe2", "spacing": "3 nm", "hole_flavours": None}
    one = study_of(device, "1e12 cm^-2", "1", {}, [])
    third = study_of(device, "1e12 cm^-2", "1/3", {}, ["cell.holes=12"])
    wide = study_of(device, "0.1e12 .. 3e12 cm^-2", "1", {"electron_spin": "polarized"}, [])
    assert third.density.electrons_per_hole == pytest.approx(1 / 3) and third.cell.holes == 12
    assert wide.table("device").densities == ["0.1e12 cm^-2", "3e12 cm^-2"]
    assert wide.density.hole == "5.477e+11 cm^-2" and wide.table("hartree-fock").electron_spin == "polarized"
    names = {s.name for s in (one, third, wide)}
    assert len(names) == 3 and one.name == study_of(device, "1e12 cm^-2", "1", {}, []).name
    assert all(n.startswith("device-WSe2-MoSe2-3nm") and "/" not in n for n in names)
    for bad in ("3e12 .. 1e12 cm^-2", "1e12 ..", "1 nm .. 2 cm^-2", "a .. b", "0 .. 1e12 cm^-2"):
        with pytest.raises(InputError, match="density"):
            study_of(device, bad, "1", {}, [])


def test_a_spacing_without_a_unit_is_said_loudly() -> None:
    said = bare_length(study_of({"material": "WSe2/MoSe2", "spacing": 3.0}, "1e12 cm^-2", "1", {}, []))
    assert "3 a_h = 1.87 nm" in said
    assert bare_length(study_of({"material": "WSe2/MoSe2", "spacing": "3 nm"}, "1e12 cm^-2", "1", {}, [])) == ""


def test_what_is_not_computed_is_not_given_as_a_number() -> None:
    bilayer = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2")
    bare = DeviceResult(status=Status.interrupted, by_source={}, density_window={}, parts={}, phase="condensate",
                        provenance=Provenance(scales=bilayer.scales))
    known = {m.name: m for m in measured(bilayer, bare)}
    assert known["Mott density"].value is None and "range of densities" in known["Mott density"].note
    assert known["Coulomb drag"].value is None
    # k_B T_BKT <= (pi/2) n/(m_e + m_h): 1e12 cm^-2 and 1.2 m0 give 23 K
    assert known["T_BKT"].value == pytest.approx(math.pi / 2 * 7.62e-2 * 1e-2 / 1.2 / 8.617e-5, rel=1e-3)
    text = dict(rows(replace(bare, measured=measured(bilayer, bare))))
    assert text["  Coulomb drag"].startswith("not computed")
