"""Figures of classical crystals: drawn from saved results alone, with every charge in its place."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from ehbilayer.crystal.scan import Scan, solve_scan
from ehbilayer.crystal.search import Composition, make_starts
from ehbilayer.crystal.study import solve_search
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Record, Result
from ehbilayer.status import Status
from ehbilayer.studies.crystal.figure import figure


@pytest.fixture(scope="module")
def search():
    return solve_search(make_starts(Composition(1 / (math.pi * 9), 1.0, 1, 2), 2, 1), Hooks())


@pytest.fixture(scope="module")
def scan():
    return solve_scan(Composition(1.0, 1.0, 1, 1), Scan((3.0, 4.0), 1, 1, 1), Hooks())


def test_a_search_shows_charges_and_starts(search, tmp_path):
    search.save(tmp_path / "a.nc")
    page = figure(Result.load(tmp_path / "a.nc"))
    charges, starts = page.axes
    electrons = charges.collections[[c.get_zorder() for c in charges.collections].index(3)].get_offsets()
    a, b = sorted(np.linalg.norm(electrons - electrons[len(electrons) // 2], axis=1))[1:3]
    assert a == pytest.approx(math.sqrt(math.pi / 2), rel=1e-6) == b  # a square of electrons, two per pi a^2
    shown = np.concatenate([c.get_offsets() for c in starts.collections])
    assert len(shown) == len(search.summary["starts"])
    assert "checkerboard" in page.texts[0].get_text()
    page.canvas.draw()


def test_a_result_that_is_not_converged_says_so(search):
    page = figure(dataclasses.replace(search, status=Status.timeout))
    assert any("TIMEOUT" in text.get_text() for text in page.texts)


def test_one_start_needs_no_second_panel():
    start = make_starts(Composition(1 / (math.pi * 9), 1.0, 1, 2), 1, 1, candidates=False)
    assert len(figure(solve_search(start, Hooks())).axes) == 1


def test_a_scan_shows_structures_energies_and_cells(scan):
    page = figure(scan)
    assert [ax.get_ylabel() for ax in page.axes[1:]] == [
        "energy per hole (e²/d)", "above the ground state (e²/a)", "angle of the primitive cell (°)",
        "ratio of its sides b/a"]
    assert page.axes[0].get_title().startswith("triangular")
    page.canvas.draw()


def test_results_without_crystals_have_no_figure(scan):
    with pytest.raises(InputError, match="resume"):
        figure(dataclasses.replace(scan, status=Status.timeout, data={}))
    with pytest.raises(InputError, match="a crystal result"):
        figure(Record("hartree-fock", Status.converged, {}, {}, {}))
