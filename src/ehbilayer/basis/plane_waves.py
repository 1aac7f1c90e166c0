"""Plane waves on a torus, grouped into k blocks, and the transforms between them and a real-space grid.

`PlaneWaveBasis` makes the basis that its arguments ask for: real orbitals of the free box (`real_box`), or complex ones
in the blocks of a cell (`bloch_mesh`). `waves` has the sets of waves.
"""

from __future__ import annotations

from ehbilayer.basis.base import PlaneWaveBasis
from ehbilayer.basis.bloch_mesh import BlochMesh
from ehbilayer.basis.real_box import RealBox

__all__ = ["BlochMesh", "PlaneWaveBasis", "RealBox"]
