"""Where a result comes from: what was asked for, with what it was computed, and the units of its device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ehbilayer.units import Scales, scales_of

KEYS = ("seed", "backend", "wall_seconds", "ignored", "scales", "units", "versions", "format_version")
INPUT_KEYS = ("hash", "study", "resolved")


@dataclass(frozen=True)
class Provenance:
    """What a method does not know of its result.

    Parameters
    ----------
    seed : of the random numbers, where there were any. backend : ``numpy`` or ``jax``; None before a run is over.
    wall_seconds : spent on it in all, with what went before an interruption.
    ignored : keys of the study without effect.
    scales : masses and dielectric constant of the device, as far as they are known.
    versions : of every package that can change a digit. format_version : of the file.
    hash : digest of the inputs. study : all keys, defaults included. resolved : the parameters in hole atomic units.
    """

    seed: int | None = None
    backend: str | None = None
    wall_seconds: float = 0.0
    ignored: tuple[str, ...] = ()
    scales: Scales = field(default_factory=Scales)
    versions: Mapping[str, str] = field(default_factory=dict)
    format_version: int | None = None
    hash: str | None = None
    study: Mapping[str, Any] = field(default_factory=dict)
    resolved: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entries(self) -> dict[str, Any]:
        """What the summary says of it; nothing before a run is over."""
        if self.backend is None:
            return {}
        return {"seed": self.seed, "backend": self.backend, "wall_seconds": self.wall_seconds,
                "ignored": list(self.ignored), "scales": self.scales.given(), "units": self.scales.table(),
                "versions": dict(self.versions), "format_version": self.format_version}

    @property
    def inputs(self) -> dict[str, Any]:
        """What the inputs in a file say of it."""
        return {} if self.hash is None else {"hash": self.hash, "study": self.study, "resolved": self.resolved}

    @classmethod
    def read(cls, summary: Mapping[str, Any], inputs: Mapping[str, Any]) -> Provenance:
        """From the summary and inputs of a file; format 1 says the units, from which the masses follow."""
        scales = Scales(**summary["scales"]) if "scales" in summary else scales_of(summary.get("units") or {})
        return cls(summary.get("seed"), summary.get("backend"), float(summary.get("wall_seconds") or 0.0),
                   tuple(summary.get("ignored") or ()), scales,
                   dict(summary.get("versions") or {}), summary.get("format_version"), inputs.get("hash"),
                   dict(inputs.get("study") or {}), dict(inputs.get("resolved") or {}))  # what is no table is refused
