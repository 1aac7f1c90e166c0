"""Reading files of format 2: texts of fixed length, and characters along a last axis, found through HDF5."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer.results.flat import Array, joined, strings
from ehbilayer.results.netcdf_1 import refuse_elsewhere
from ehbilayer.results.variable import from_json

CONTENT = "result.json"


def read(raw: bytes, *, arrays: bool) -> tuple[dict[str, str], dict[str, Array]]:
    """Texts and arrays. Raises ValueError for what is no array of numbers or characters of this file."""
    import h5py

    with h5py.File(h5py.h5f.open_file_image(raw)) as file:
        _refuse_foreign(file, CONTENT)
        content = from_json(np.asarray(file[CONTENT][...]).tobytes().decode())
        names = content.pop("arrays")
        return content, {name: _read_array(file, name) for name in names} if arrays else {}


def _text(attributes: Any, name: str) -> str:
    """A short text. Raises ValueError for one of variable length, and for anything else."""
    import h5py

    kept = h5py.check_string_dtype(attributes.get_id(name).dtype)
    if kept is None or kept.length is None:
        raise ValueError(f"{name} is no text of fixed length")
    return bytes(attributes[name]).decode()


def _read_array(file: Any, name: str) -> Array:
    _refuse_foreign(file, name)
    array = file[name]
    values, dims = np.asarray(array[...]), tuple(_text(array.attrs, "axes").split("\n"))
    kind = _text(array.attrs, "dtype") if "dtype" in array.attrs else ""
    if kind == "bool":
        values = values.astype(bool)
    elif kind == "complex":
        values = joined(values)
    elif kind == "text":
        values = strings(values)
    told = {key: _text(array.attrs, key) for key in ("units", "description") if key in array.attrs}
    return dims if dims != ("",) else (), values, told


def _refuse_foreign(file: Any, name: str) -> None:
    """Raise ValueError unless the entry is an array of numbers or characters in this very file, at its full size."""
    refuse_elsewhere(file, name)
    array = file[name]
    if array.dtype.kind not in "iuf" and array.dtype != np.dtype("S1"):
        raise ValueError(f"{name} holds objects or text of variable length")
    # a few bytes can claim terabytes of fill values; nothing written here is ever compressed or left out
    if array.id.get_storage_size() < array.nbytes:
        raise ValueError(f"{name} claims a larger size than it has")
