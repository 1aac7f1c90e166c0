"""Named arrays and text attributes as the bytes of one netCDF-4 file, sealed with their own checksum.

The file is made in memory. Its ``checksum`` attribute is the SHA-256 of all its bytes, so that reading finds any
truncation or flipped bit before HDF5 parses a single array. Reading executes nothing: no pickles, no objects, no links.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.results.files import ResultFileError

FORMAT_VERSION = 1
SEAL = b"ehbilayer-sha256:"  # followed by 64 hexadecimal digits, which count as zeros when the file is hashed
BARE_AXIS = b"This is a netCDF dimension but not a netCDF variable"  # netCDF-4's mark on an axis without coordinates

Array = tuple[tuple[str, ...], np.ndarray, dict[str, str]]  # axis names, values, attributes


def pack(attributes: dict[str, str], arrays: dict[str, Array]) -> bytes:
    """The sealed file. The same contents give the same bytes: nothing in them depends on the time or the place.

    Complex arrays become real ones with a last axis ``complex`` of length 2, booleans bytes, text netCDF strings.
    """
    import h5netcdf

    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        file.attrs["checksum"] = SEAL.decode() + "0" * 64
        file.attrs["format_version"] = FORMAT_VERSION
        for name, text in attributes.items():
            file.attrs[name] = text
        for name, array in arrays.items():
            _write_array(file, name, array)
    return _seal(buffer.getvalue())


def unpack(path: str | Path, raw: bytes, *, arrays: bool = True) -> tuple[int, dict[str, str], dict[str, Array]]:
    """Format version, attributes and arrays of the bytes ``raw`` that were read from ``path``; attributes only without ``arrays``.

    Raises ResultFileError if they are truncated, changed, foreign, or of a newer format.
    """
    try:
        problem = damage(raw)
        if not (problem or arrays):
            version, attributes = _attributes(raw)
        else:
            version, attributes = _version(raw), {}
        if version is not None and version > FORMAT_VERSION:
            problem = f"has the newer format {version}, this version of ehbilayer reads formats up to {FORMAT_VERSION}"
            raise ResultFileError(path, problem, "upgrade ehbilayer")
        if problem or version is None:
            raise ResultFileError(path, problem or "is no result file of ehbilayer", "restore it or compute it again",
                                  damaged=True)
        return (version, *_read(raw)) if arrays else (version, attributes, {})
    except ResultFileError:
        raise
    except Exception as error:  # whatever HDF5 makes of a stranger's bytes
        problem = f"cannot be read ({type(error).__name__}: {error})"
        raise ResultFileError(path, problem, "restore it or compute it again", damaged=True) from error


def _write_array(file: Any, name: str, array: Array) -> None:
    import h5py

    dims, values, attributes = array
    kind = values.dtype.kind
    if kind == "c":
        values, dims = np.stack([values.real, values.imag], axis=-1), (*dims, "complex")
    stored = {"U": h5py.string_dtype(), "b": np.dtype("i1")}.get(kind, values.dtype)
    for dim, length in zip(dims, values.shape, strict=True):
        if dim not in file.dimensions:
            file.dimensions[dim] = length
    entry = file.create_variable(name, dims, stored, data=values.astype(object if kind == "U" else stored))
    for key, text in attributes.items():
        entry.attrs[key] = text
    if kind in "cb":
        entry.attrs["dtype"] = {"c": "complex", "b": "bool"}[kind]


def _seal(raw: bytes) -> bytes:
    """Put the SHA-256 of the file, taken with the digits zero, into its checksum attribute."""
    if raw.count(SEAL) != 1:
        raise InputError("summary", f"without the text {SEAL.decode()!r}", "a text with it", "reword it")
    start = raw.index(SEAL) + len(SEAL)
    return raw[:start] + hashlib.sha256(raw).hexdigest().encode() + raw[start + 64:]


def damage(raw: bytes) -> str:
    """What is wrong with the bytes of a file; empty if they are as they were written."""
    if not raw:
        return "is empty"
    start = raw.find(SEAL) + len(SEAL)
    if start < len(SEAL):
        return "is no result file of ehbilayer, or a damaged one"
    digest = hashlib.sha256(raw[:start])
    digest.update(b"0" * 64)
    digest.update(memoryview(raw)[start + 64:])
    sealed = digest.hexdigest().encode() == raw[start:start + 64]
    return "" if sealed else "is truncated or damaged (its checksum does not match)"


def _version(raw: bytes) -> int | None:
    """The format version, None if the file does not say. Looked at even in a damaged file, to name a newer format."""
    import h5py

    try:
        with h5py.File(io.BytesIO(raw), "r") as file:
            return int(np.ravel(file.attrs["format_version"])[0])  # netCDF numbers are lists of one
    except Exception:
        return None


def _read(raw: bytes) -> tuple[dict[str, str], dict[str, Array]]:
    import h5netcdf
    import h5py

    with h5py.File(io.BytesIO(raw), "r") as file:
        for name in file:
            _refuse_foreign(file, name)
    with h5netcdf.File(io.BytesIO(raw), "r") as file:
        arrays = {name: _read_array(variable) for name, variable in file.variables.items()}
        return {name: str(text) for name, text in file.attrs.items()}, arrays


def _attributes(raw: bytes) -> tuple[int | None, dict[str, str]]:
    """Format version and text attributes, which is fast."""
    import h5py

    with h5py.File(h5py.h5f.open_file_image(raw)) as file:
        names = [name for name in file.attrs if not name.startswith("_") and name != "checksum"]
        found = {name: file.attrs[name] for name in names}
    version = found.pop("format_version", None)
    return None if version is None else int(np.ravel(version)[0]), {name: str(text) for name, text in found.items()}


def _refuse_foreign(file: Any, name: str) -> None:
    """Raise unless the entry is an array of numbers or text stored in this very file, at its full size."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or file.get(name, getclass=True) is not h5py.Dataset:
        raise ValueError(f"{name} is a link or a group")
    array = file[name]
    if array.external or array.is_virtual:
        raise ValueError(f"{name} is kept in another file")
    text = h5py.check_string_dtype(array.dtype) is not None
    if not text and array.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds objects")
    # a few bytes can claim terabytes of fill values; nothing written here is ever compressed or left out
    bare_axis = array.attrs.get("NAME", b"").startswith(BARE_AXIS)
    if not bare_axis and array.id.get_storage_size() < array.nbytes:
        raise ValueError(f"{name} claims a larger size than it has")


def _read_array(variable: Any) -> Array:
    values, dims = np.asarray(variable[...]), tuple(variable.dimensions)
    attributes = {name: str(variable.attrs[name]) for name in variable.attrs}
    if values.dtype.kind == "O":
        texts = [t.decode() if isinstance(t, bytes) else str(t) for t in values.ravel()]
        values = np.array(texts, dtype=str).reshape(values.shape)
    kind = attributes.pop("dtype", None)
    if kind == "bool":
        values = values.astype(bool)
    if kind == "complex":
        # part by part: a product with 1j would turn signed zeros around
        joined = np.empty(values.shape[:-1], dtype=np.result_type(values.dtype, np.complex64))
        joined.real, joined.imag = values[..., 0], values[..., 1]
        values, dims = joined, dims[:-1]
    return dims, values, attributes
