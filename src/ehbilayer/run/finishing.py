"""What every result gets that its method cannot know: units, time, versions, and all inputs."""

from __future__ import annotations

import json
from dataclasses import replace

from ehbilayer.results.base import Provenance, Record, Result, to_json
from ehbilayer.results.calling import versions
from ehbilayer.results.netcdf import FORMAT_VERSION
from ehbilayer.status import Status
from ehbilayer.studies.task import Task


def finished(result: Result, task: Task, backend: str, seconds: float) -> Result:
    """The result with what its method cannot know: units, time, versions, study and all inputs."""
    provenance = Provenance(task.seed, backend, round(seconds, 3), tuple(task.study.ignored()), task.scales, versions(),
                            FORMAT_VERSION, task.hash, task.inputs, task.resolved)
    if result.status is Status.converged and (name := result.undefined()):
        result = _not_finite(result, name)
    if not isinstance(result, Record):
        return replace(result.with_entries(task.extra), provenance=provenance)
    summary = {"kind": result.kind, "status": result.status.value, "advice": result.status.advice} | result.summary
    summary |= task.extra | provenance.entries
    return replace(result, summary=summary, inputs={**result.inputs, **provenance.inputs})


def _not_finite(result: Result, name: str) -> Result:
    """The same result without the claim that it converged, as an array of it holds no numbers."""
    ended, why = Status.not_finite, f"{name} is not finite"
    if isinstance(result, Record):
        return replace(result, status=ended, summary=result.summary | {"reason": why})
    return replace(result, status=ended, reason=why)


def summary_text(result: Result) -> bytes:
    return (json.dumps(json.loads(to_json(result.summary)), indent=2, ensure_ascii=False) + "\n").encode()
