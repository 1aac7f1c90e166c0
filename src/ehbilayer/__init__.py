"""Quantum phases of electron-hole bilayers.

    from ehbilayer import Bilayer, Torus, hartree_fock
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1.29e12 cm^-2", electrons_per_hole=2)
    state = hartree_fock(Torus(device, holes=36, zero_mode="madelung"), "trion-crystal", hexagon=12)
    state.gap.electron.to("meV"), state.phase, state.plot()

or, from a study file,

    from ehbilayer import load_study, run
    result = run(load_study("examples/trion-crystal.toml"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# the methods, named like the rooms they live in; their modules are imported when they are called
from ehbilayer.compressibility import compressibility
from ehbilayer.condensate import condensate
from ehbilayer.crystal import crystal
from ehbilayer.device import device
from ehbilayer.few_body import critical_spacing, few_body
from ehbilayer.gates import gates
from ehbilayer.hartree_fock import hartree_fock
from ehbilayer.liquid import liquid
from ehbilayer.monte_carlo import monte_carlo
from ehbilayer.pairing import pairing
from ehbilayer.phases import phases
from ehbilayer.phonons import phonons
from ehbilayer.response import response
from ehbilayer.run import run
from ehbilayer.thermal import thermal

if TYPE_CHECKING:
    from ehbilayer.crystal.result import CrystalScanResult
    from ehbilayer.errors import InputError
    from ehbilayer.hartree_fock.result import HartreeFockResult
    from ehbilayer.interaction.base import Interaction
    from ehbilayer.interaction.coulomb import Coulomb
    from ehbilayer.interaction.screened import Screened
    from ehbilayer.model import Bilayer, Carrier
    from ehbilayer.monte_carlo.correlated import correlated_phases
    from ehbilayer.numerics.limits import size_limit
    from ehbilayer.pairing.couplings import bcs_temperature
    from ehbilayer.pairing.eliashberg import eliashberg_tc
    from ehbilayer.pairing.result import PairingMapResult, PairingResult
    from ehbilayer.reports.compare import compare
    from ehbilayer.results.base import Result
    from ehbilayer.results.files import atomic_write
    from ehbilayer.run.reporting import Reporter
    from ehbilayer.status import Status
    from ehbilayer.studies.file import Study, load_study, make_study
    from ehbilayer.sweep.load import load
    from ehbilayer.sweep.many import run_many
    from ehbilayer.sweep.result import SweepResult
    from ehbilayer.torus import Torus
    from ehbilayer.units import Scales

__version__ = "0.2.0"

# public name -> module, imported when first asked for: `ehb --help` must not wait for SciPy
_HOME = {"Bilayer": "model", "Carrier": "model", "Coulomb": "interaction.coulomb",
         "CrystalScanResult": "crystal.result", "HartreeFockResult": "hartree_fock.result", "InputError": "errors",
         "Interaction": "interaction.base", "PairingMapResult": "pairing.result", "PairingResult": "pairing.result",
         "Reporter": "run.reporting", "Result": "results.base", "Scales": "units",
         "Screened": "interaction.screened", "Status": "status",
         "Study": "studies.file", "SweepResult": "sweep.result", "Torus": "torus", "atomic_write": "results.files",
         "bcs_temperature": "pairing.couplings", "compare": "reports.compare",
         "correlated_phases": "monte_carlo.correlated",
         "eliashberg_tc": "pairing.eliashberg", "load": "sweep.load",
         "load_study": "studies.file", "make_study": "studies.file", "run_many": "sweep.many",
         "size_limit": "numerics.limits"}
__all__ = ["Bilayer", "Carrier", "Coulomb", "CrystalScanResult", "HartreeFockResult", "InputError", "Interaction",
           "PairingMapResult", "PairingResult", "Reporter", "Result", "Scales", "Screened", "Status", "Study",
           "SweepResult", "Torus", "__version__", "atomic_write", "bcs_temperature", "compare", "compressibility",
           "condensate", "correlated_phases", "critical_spacing", "crystal", "device", "eliashberg_tc", "few_body",
           "gates", "hartree_fock", "liquid", "load", "load_study", "make_study", "monte_carlo", "pairing", "phases",
           "phonons", "response", "run", "run_many", "size_limit", "thermal"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ehbilayer' has no attribute {name!r}")
    return getattr(import_module(f"ehbilayer.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
