"""The study that `ehb device` asks: from what stands on the command line to tables, and the name of its directory."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.studies.axes import split_number
from ehbilayer.studies.bilayer import scales_of
from ehbilayer.studies.file import Study, digest, make_study
from ehbilayer.units import Scales

BETWEEN = ".."  # the ends of a range of densities
LONGEST = 60  # characters of a directory's name, without what makes it unique


def study_of(bilayer: dict[str, Any], density: str | None, electrons_per_hole: str, spins: dict[str, str | None],
             sets: Sequence[str], *, correlated: bool = False, gates: str | None = None,
             sheets: str | None = None, materials: Path | None = None) -> Study:
    """The study of a page.

    Parameters
    ----------
    bilayer : keys of [bilayer]; None where nothing was said.
    density : of the holes, such as ``1e12 cm^-2``, or a range ``0.1e12 .. 3e12 cm^-2``, whose middle the page is about.
    electrons_per_hole : a number or a fraction such as ``1/3``.   spins : keys of [hartree-fock].
    gates, sheets : lengths of [screening], see `screening_said`.
    sets : overrides ``table.key=value``.   correlated : whether phases compete by Monte Carlo, too.
    materials : a file of devices of one's own.

    Raises InputError naming the option.
    """
    tables: dict[str, Any] = {"kind": "device", "bilayer": {k: v for k, v in bilayer.items() if v is not None}}
    screening = screening_said("gate_top", "gate_bottom", gates, "--gates")
    screening |= screening_said("sheet_electron", "sheet_hole", sheets, "--sheets")
    if screening:
        tables["screening"] = screening
        tables["bilayer"]["interaction"] = "screened"
    said = {k: v for k, v in spins.items() if v is not None}
    if said:
        tables["hartree-fock"] = said
    tables["density"] = {"electrons_per_hole": _ratio(electrons_per_hole)}
    if density is not None and BETWEEN in density:
        low, high = _ends(density)
        tables["density"]["hole"] = _middle(low, high, density)
        tables["device"] = {"densities": [low, high]}
    elif density is not None:
        tables["density"]["hole"] = number_or_text(density)
    if correlated:
        tables.setdefault("device", {})["correlated"] = True
    study = make_study(tables, sets, name="device", materials=materials)
    return make_study(tables, sets, name=_name(study, str(bilayer.get("material") or "")), materials=materials)


def screening_said(above: str, below: str, text: str | None, option: str) -> dict[str, Any]:
    """Two lengths such as "10 nm, 20 nm", of the electrons' side and the holes'; one length is both, "none" no gate.

    Raises InputError naming the option for more than two.
    """
    if text is None:
        return {}
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 2 or not all(parts):
        raise InputError(option, 'one length such as "10 nm", or two, "10 nm, 20 nm"', text[:60],
                         "the first is that of the electrons")
    pairs = zip((above, below), (parts * 2)[:2], strict=True)
    return {key: number_or_text(part) for key, part in pairs if part != "none"}


def number_or_text(text: str | None) -> float | str | None:
    """A bare number as one."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return text


def scales_said(material: str | None, electron_mass: float | None, hole_mass: float | None,
                dielectric: float | None, materials: Path | None = None) -> Scales:
    """The scales of a device whose masses and dielectric constant must be known. Raises InputError naming options."""
    given = {"material": material, "electron_mass": electron_mass, "hole_mass": hole_mass, "dielectric": dielectric}
    table = {k: v for k, v in given.items() if v is not None}
    scales = scales_of(make_study({"kind": "device", "bilayer": table}, materials=materials))
    missing = [f"--{k.replace('_', '-')}" for k in ("electron_mass", "hole_mass", "dielectric")
               if getattr(scales, k) is None]
    if missing:
        raise InputError("--material", "given, or electron mass, hole mass and dielectric constant", "missing",
                         f"name a device (see `ehb materials`), or give {', '.join(missing)}")
    return scales


def atomic(scales: Scales, text: str | None, dimension: str, argument: str) -> float | None:
    """A length or density >= 0 in hole atomic units. Raises InputError naming the argument."""
    quantity = number_or_text(text)
    if quantity is None:
        return None
    value = scales.to_atomic(quantity, dimension, argument)
    if value < 0:
        raise InputError(argument, f"a {dimension} >= 0", text, "remove the sign")
    return value


def bare_length(study: Study) -> str:
    """What a spacing without a unit means, in nm; empty where it has one."""
    spacing = study.bilayer.spacing
    if not isinstance(spacing, int | float) or not spacing:
        return ""
    nm = scales_of(study).length_nm(spacing)
    return f'the spacing {spacing:g} has no unit and means {spacing:g} a_h = {nm:.3g} nm; write "{spacing:g} nm" for nm'


def _ratio(text: str) -> float | str:
    value = number_or_text(text)
    return value if isinstance(value, float) else text.strip()


def _ends(text: str) -> tuple[str | float, str | float]:
    """Both ends with a unit; the first may leave it to the second. Raises InputError for anything else."""
    parts = [p.strip() for p in text.split(BETWEEN)]
    last = split_number(number_or_text(parts[1])) if len(parts) == 2 else None
    first = split_number(number_or_text(parts[0])) if len(parts) == 2 else None
    if first is None or last is None or not all(math.isfinite(x[0]) and x[0] > 0 for x in (first, last)):
        raise InputError("--density", 'a density, or a range such as "0.1e12 .. 3e12 cm^-2"', text[:60],
                         "give two numbers > 0 with a unit")
    low, high = (number_or_text(p) for p in parts)
    if isinstance(low, float) and last[1]:
        low = f"{parts[0]} {last[1]}"
    assert low is not None and high is not None
    return low, high


def _middle(low: str | float, high: str | float, text: str) -> str | float:
    """The geometric mean. Raises InputError for two units."""
    (first, unit), (last, other) = split_number(low) or (0.0, ""), split_number(high) or (0.0, "")
    if unit != other or not first < last:
        raise InputError("--density", "a range from a smaller to a larger density of one unit", text[:60],
                         'e.g. "0.1e12 .. 3e12 cm^-2"')
    middle = float(f"{math.sqrt(first * last):.4g}")
    return f"{middle:g} {unit}" if unit else middle


def _name(study: Study, material: str) -> str:
    """A directory of its own for every question: device, material, spacing, density, and a digest of all inputs."""
    layers, density = study.bilayer, study.density.hole
    said = ["device", layers.material or material, str(layers.spacing or ""), str(density or "")]
    words = [re.sub(r"[^A-Za-z0-9.+-]+", "", w.replace("^", "").replace("/", "-")) for w in said]
    return "-".join(w for w in words if w)[:LONGEST] + "-" + digest(study.canonical())[:6]
