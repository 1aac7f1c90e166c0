"""Published numbers of devices beside ours: studies that can be computed, verdicts that know errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from ehbilayer.figures import own_style
from ehbilayer.papers import reproduction
from ehbilayer.papers.experiments.devices import INGREDIENTS, UNKNOWN, slug, studies
from ehbilayer.papers.experiments.page import beside
from ehbilayer.papers.making import Workshop
from ehbilayer.papers.record import AGREES, DIFFERS
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import prepare


def test_every_study_can_be_computed() -> None:
    full, quick = studies(False), studies(True)
    words = [*INGREDIENTS, *UNKNOWN]
    assert set(quick) < set(full) and len({slug(w) for w in words}) == len(words)
    assert all(full[name] == tables for name, tables in quick.items())
    for tables in full.values():
        prepare(make_study(tables))


@pytest.mark.parametrize(("value", "error", "verdict"), [
    (75.0, 21.0, AGREES), (69.0, 0.1, AGREES), (95.0, 21.0, DIFFERS), (100.0, 31.0, AGREES)])
def test_a_number_agrees_within_both_errors(value: float, error: float, verdict: str) -> None:
    assert beside("T", "about 70 K", value, error, "K", (70.0, 5.0)).verdict == verdict


@pytest.mark.published
@pytest.mark.timeout(1800)
def test_the_quick_page_has_all_rows_and_a_picture(tmp_path: Path) -> None:
    figure = reproduction("experiments")
    made = Workshop(tmp_path, quick=True).make(figure)
    assert made.good and len(made.files) == 3
    words = {row.quantity: row for row in made.rows}
    assert words["half of the excitons ionised, 3 nm, 0.2e12 cm^-2"].verdict == AGREES
    assert len([q for q in words if q.startswith("3 nm, ")]) >= len(INGREDIENTS)
    with own_style():
        assert figure.draw is not None
