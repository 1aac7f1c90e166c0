"""Reading files of format 1: long texts as attributes, text arrays as netCDF strings, all of variable length."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ehbilayer.results.flat import Array, joined

BARE_AXIS = b"This is a netCDF dimension but not a netCDF variable"  # netCDF-4's mark on an axis without coordinates


def read(raw: bytes) -> tuple[dict[str, str], dict[str, Array]]:
    """Text attributes and arrays. Raises ValueError for what is no array of numbers or text of this file."""
    import h5netcdf
    import h5py

    with h5py.File(io.BytesIO(raw), "r") as file:
        for name in file:
            _refuse_foreign(file, name)
    with h5netcdf.File(io.BytesIO(raw), "r") as file:
        arrays = {name: _read_array(variable) for name, variable in file.variables.items()}
        return {name: str(text) for name, text in file.attrs.items()}, arrays


def attributes(raw: bytes) -> dict[str, str]:
    """Text attributes alone, which is fast."""
    import h5py

    with h5py.File(h5py.h5f.open_file_image(raw)) as file:
        names = [name for name in file.attrs if not name.startswith("_") and name != "checksum"]
        return {name: str(file.attrs[name]) for name in names}


def refuse_elsewhere(file: Any, name: str) -> None:
    """Raise ValueError unless the entry is an array stored in this very file."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or file.get(name, getclass=True) is not h5py.Dataset:
        raise ValueError(f"{name} is a link or a group")
    array = file[name]
    if array.external or array.is_virtual:
        raise ValueError(f"{name} is kept in another file")


def _refuse_foreign(file: Any, name: str) -> None:
    """Raise unless the entry is an array of numbers or text at its full size."""
    import h5py

    refuse_elsewhere(file, name)
    array = file[name]
    text = h5py.check_string_dtype(array.dtype) is not None
    if not text and array.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds objects")
    bare_axis = array.attrs.get("NAME", b"").startswith(BARE_AXIS)
    if not bare_axis and array.id.get_storage_size() < array.nbytes:
        raise ValueError(f"{name} claims a larger size than it has")


def _read_array(variable: Any) -> Array:
    values, dims = np.asarray(variable[...]), tuple(variable.dimensions)
    said = {name: str(variable.attrs[name]) for name in variable.attrs}
    if values.dtype.kind == "O":
        texts = [t.decode() if isinstance(t, bytes) else str(t) for t in values.ravel()]
        values = np.array(texts, dtype=str).reshape(values.shape)
    kind = said.pop("dtype", None)
    if kind == "bool":
        values = values.astype(bool)
    if kind == "complex":
        values, dims = joined(values), dims[:-1]
    return dims, values, said
