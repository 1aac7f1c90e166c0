"""Where the trion of equal masses unbinds: the studies that decide it, and its row beside the published spacing."""

from __future__ import annotations

from typing import Any

from ehbilayer.papers.record import DIFFERS, Results, Row, Studies, judged

STUDY, BEYOND = "trion-unbinding", "dai-fu-trion-beyond"
PUBLISHED = 15.38  # a_B; Witham, Hunt and Drummond, PRB 97, 075424 (2018)
ROUNDED = 0.005  # half of its last printed digit
FURTHER = 15.45  # d/a_h, beyond it
EQUAL: dict[str, Any] = {"electron_mass": 1.0, "hole_mass": 1.0}


def few_body(bilayer: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Tables of a study of a few particles, a trion of two electrons unless said."""
    return {"kind": "few-body", "bilayer": dict(bilayer), "few-body": {"complex": "trion-"} | options}


def studies(quick: bool) -> Studies:
    """The extrapolated unbinding, which takes minutes, and the trion a little beyond the published one (not quick)."""
    if quick:
        return {}
    return {STUDY: few_body(EQUAL, spin="singlet", find="critical-spacing", max_functions=160),
            BEYOND: few_body(EQUAL | {"spacing": FURTHER}, spin="singlet", tolerance=1e-7, max_functions=160)}


def unbinding(results: Results) -> tuple[float | None, float | None]:
    """d_c/a_B and its uncertainty, None where it was not computed or not found."""
    if STUDY not in results:
        return None, None
    value, error = results[STUDY].critical_spacing, results[STUDY].critical_spacing_uncertainty
    return (None, None) if value is None else (float(value), float(error))


def unbinding_row(results: Results) -> Row:
    """d_c beside the published one.

    It differs if it is farther away than its uncertainty, or if the trion is bound beyond the published spacing: the
    energy is an upper bound and the threshold exact, which decides it however wide the extrapolation's spread is.
    """
    value, error = unbinding(results)
    spread = max(error or 0.0, ROUNDED)
    text = f"{value:.4g} +- {error:.2g}" if value is not None and error is not None else ""
    row = judged("trion unbinds at equal masses, d_c/a_B", f"{PUBLISHED:g}", value,
                 (PUBLISHED - spread, PUBLISHED + spread), text)
    beyond = results.get(BEYOND)
    if beyond is None or not beyond.bound:
        return row
    higher = (f"above {FURTHER:g}: there bound by {beyond.binding_energy:.2g} +- {beyond.uncertainty:.1g} Ha_h")
    return Row(row.quantity, row.published, row.ours, DIFFERS, higher)
