"""Quantum phases of electron-hole bilayers.

    import ehbilayer
    study = ehbilayer.load_study("examples/trion-crystal.toml")
    result = ehbilayer.run(study)
    result.plot()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ehbilayer.liquid import liquid
from ehbilayer.run import run

if TYPE_CHECKING:
    from ehbilayer.errors import InputError
    from ehbilayer.pairing.couplings import bcs_temperature
    from ehbilayer.pairing.eliashberg import eliashberg_tc
    from ehbilayer.results.base import Result
    from ehbilayer.results.files import atomic_write
    from ehbilayer.run.reporting import Reporter
    from ehbilayer.status import Status
    from ehbilayer.studies.file import Study, load_study, make_study
    from ehbilayer.sweep.load import load
    from ehbilayer.sweep.many import run_many
    from ehbilayer.sweep.result import SweepResult
    from ehbilayer.units import Scales

__version__ = "0.1.0"
__all__ = ["InputError", "Reporter", "Result", "Scales", "Status", "Study", "SweepResult", "__version__",
           "atomic_write", "bcs_temperature", "eliashberg_tc", "liquid", "load", "load_study", "make_study", "run",
           "run_many"]

# public name -> module, imported when first asked for: `ehb --help` must not wait for SciPy
_HOME = {"InputError": "errors", "Result": "results.base", "Status": "status", "Study": "studies.file",
         "load": "sweep.load", "load_study": "studies.file", "make_study": "studies.file", "Scales": "units",
         "eliashberg_tc": "pairing.eliashberg", "bcs_temperature": "pairing.couplings", "Reporter": "run.reporting",
         "SweepResult": "sweep.result", "atomic_write": "results.files", "run_many": "sweep.many"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ehbilayer' has no attribute {name!r}")
    return getattr(import_module(f"ehbilayer.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
