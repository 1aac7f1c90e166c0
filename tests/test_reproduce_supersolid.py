"""Supersolids computed again: every study can be computed, and the quick sets draw and tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from ehbilayer.figures import own_style
from ehbilayer.papers import reproduction
from ehbilayer.papers.making import Workshop
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import prepare

NAMES = ("supersolid:2-1", "supersolid:balanced")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quick", [True, False])
def test_every_study_can_be_computed(name: str, quick: bool) -> None:
    for tables in reproduction(name).studies(quick).values():
        assert prepare(make_study(tables)).plan


@pytest.mark.parametrize("name", NAMES)
def test_the_quick_set_is_drawn_from_what_it_computed(name: str, tmp_path: Path) -> None:
    with own_style():
        made = Workshop(tmp_path, quick=True).make(reproduction(name))
    assert made.good and len(made.files) == 3
    words = {row.quantity: row.ours for row in made.rows}
    if name == NAMES[0]:
        assert words["m_e/m_h = 2, r_s = 8, d = 1: lowest"].endswith("below imbalanced-condensate")
        assert "supersolid" in words["m_e/m_h = 2, r_s = 8, d = 1: supersolid"]
        assert next(text for key, text in words.items() if "T_BKT" in key).endswith(" K")
    else:  # both crystals of four pairs would condense, and with pairs they do
        assert all("a saddle" in words[f"m_e/m_h = 1, r_s = 8, d = 3: {p}"] for p in ("EL-HC", "crystal"))
        assert words["m_e/m_h = 1, r_s = 8, d = 3: supersolid"].startswith("condensate")
