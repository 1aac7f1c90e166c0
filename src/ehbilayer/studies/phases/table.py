"""The table of a result of kind "phases"."""

from __future__ import annotations

from ehbilayer.results.base import Result
from ehbilayer.studies.text import energy_text, status_row, time_row

SWEPT = ("margin", "gap")  # what a sweep shows first


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s, units = result.summary, result.summary.get("units", {})
    left = s.get("reason")
    found = [status_row(result), ("winner", f"{s['winner']}" + (" so far" if left else ""))]
    if left:
        found.append(("open", f"{left}; the verdict stands only when all are converged"))
    if s["margin"] is not None:
        word = "more" if s["margin"] > s["numerical_error"] else "LESS"
        found.append(("margin", f"{energy_text(s['margin'], units)} per hole below {s['runner_up']}; {word} than the "
                                f"numerical error {s['numerical_error']:.1e}"))
    found += [("caution", text) for text in s.get("cautions") or []]
    for row in sorted(s["candidates"], key=lambda r: (r["energy"] is None, r["energy"])):
        ended = "" if row["phase"] == row["name"] else f", ended as {row['phase']}"
        state = "" if row["status"] == "converged" else f", {row['status']}"
        saddle = ", a saddle" if row["saddle"] else ""
        if row["towards"]:
            saddle += f" towards {row['towards']['phase']} ({row['towards']['energy']:.10f})"
        energy = "no energy" if row["energy"] is None else f"{row['energy']:.10f} Ha_h per hole"
        found.append((row["name"], energy + ended + state + saddle))
    return [*found, time_row(result)]
