"""What every result gets that its method cannot know: real energies, units, time, versions, and all inputs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ehbilayer.results.base import Provenance, Record, Result, to_json
from ehbilayer.results.calling import versions
from ehbilayer.results.netcdf import FORMAT_VERSION
from ehbilayer.studies.task import TWINS, Task


def finished(result: Result, task: Task, backend: str, seconds: float) -> Result:
    """The result with what its method cannot know: units, time, versions, study and all inputs."""
    provenance = Provenance(task.seed, backend, round(seconds, 3), tuple(task.study.ignored()), task.scales, versions(),
                            FORMAT_VERSION, task.hash, task.inputs, task.resolved)
    if not isinstance(result, Record):
        return replace(result.with_entries(task.extra), provenance=provenance)
    summary = {"kind": result.kind, "status": result.status.value, "advice": result.status.advice} | result.summary
    summary |= real_energies(summary, task) | task.extra | provenance.entries
    return replace(result, summary=summary, inputs={**result.inputs, **provenance.inputs})


def real_energies(summary: dict[str, Any], task: Task) -> dict[str, Any]:
    """energy_meV, gap_kelvin, ... of every energy in the summary, where the real units are known."""
    if not task.scales.known:
        return {}

    def scaled(value: Any, factor: float) -> Any:
        if isinstance(value, dict):
            return {k: scaled(v, factor) for k, v in value.items()}
        if isinstance(value, list):
            return [scaled(v, factor) for v in value]
        return None if value is None else value * factor

    factors = dict(zip(TWINS, (task.scales.hartree_meV, task.scales.hartree_kelvin), strict=True))
    return {f"{key}_{twin}": scaled(summary[key], factor) for twin, factor in factors.items()
            for key in task.energies if key in summary}


def summary_text(result: Result) -> bytes:
    return (json.dumps(json.loads(to_json(result.summary)), indent=2, ensure_ascii=False) + "\n").encode()
