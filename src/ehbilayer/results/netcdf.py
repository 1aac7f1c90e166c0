"""Named arrays and texts as the bytes of one netCDF-4 file, sealed with their own checksum.

The file is made in memory. Its array ``checksum`` holds the SHA-256 of all its bytes, so that reading finds any
truncation or flipped bit before HDF5 parses a single array. Reading executes nothing: no pickles, no objects, no links.

Text has a fixed length throughout: a damaged or hostile heap, where HDF5 keeps text of variable length, can keep a
reader busy for ever. Attributes are short UTF-8 strings; long texts and text arrays are characters along a last axis.
Reading looks at nothing else (netCDF-4 keeps references to axes on the heap, for others to read). Format 1, with text
of variable length, is read by `netcdf_1`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.results import netcdf_1
from ehbilayer.results.files import ResultFileError

FORMAT_VERSION = 2
SEAL = b"ehbilayer-sha256:"  # followed by 64 hexadecimal digits, which count as zeros when the file is hashed
CONTENT, CHECKSUM = "result.json", "checksum"  # arrays of characters: all texts as JSON with the order of arrays; seal
SHORTEST = 2  # bytes of an attribute: netCDF takes those of one byte for characters

Array = tuple[tuple[str, ...], np.ndarray, dict[str, str]]  # axis names, values, attributes


def pack(attributes: dict[str, str], arrays: dict[str, Array]) -> bytes:
    """The sealed file. The same contents give the same bytes: nothing in them depends on the time or the place.

    Complex arrays become real ones with a last axis ``complex`` of length 2, booleans bytes, text characters.
    """
    import h5py

    content = json.dumps({**attributes, "arrays": list(arrays)}, ensure_ascii=False)
    stored = {name: _stored(*array) for name, array in arrays.items()}
    for name, text in {CONTENT: content, CHECKSUM: SEAL.decode() + "0" * 64}.items():
        values = np.frombuffer(text.encode(), "S1")
        stored[name] = (f"string{len(values)}",), values, {}
    name = f"result-{threading.get_ident()}"  # never on disk, but HDF5 shares files in memory by their name
    with h5py.File(name, "w", driver="core", backing_store=False, track_order=True) as file:
        for name in ("kind", "status"):
            _write_text(file.attrs, name, attributes[name])
        file.attrs["format_version"] = np.array([FORMAT_VERSION])
        _write_arrays(file, stored)
        file.flush()
        return _seal(file.id.get_file_image())


def _stored(dims: tuple[str, ...], values: np.ndarray, attributes: dict[str, str]) -> Array:
    """An array as it is in the file, with attributes that say what it was."""
    kind, said = values.dtype.kind, {**attributes, "axes": "\n".join(dims)}  # names are printable
    if kind == "c":
        return (*dims, "complex"), np.stack([values.real, values.imag], axis=-1), said | {"dtype": "complex"}
    if kind == "U":
        values = _characters(values)
        return (*dims, f"string{values.shape[-1]}"), values, said | {"dtype": "text", "_Encoding": "utf-8"}
    return (dims, values.astype("i1"), said | {"dtype": "bool"}) if kind == "b" else (dims, values, said)


def _write_arrays(file: Any, arrays: dict[str, Array]) -> None:
    """The arrays and their axes as netCDF-4 has them: an axis is a scale, which holds its coordinates if it has any."""
    lengths = {dim: n for dims, values, _ in arrays.values() for dim, n in zip(dims, values.shape, strict=True)}
    numbers = {dim: i for i, dim in enumerate(lengths)}
    for dim, length in lengths.items():
        if dim in arrays:
            scale, text = _write_array(file, dim, *arrays[dim]), dim
        else:
            scale = file.create_dataset(dim, (length,), ">f4", maxshape=None if length else (None,))
            text = f"{netcdf_1.BARE_AXIS.decode()}.{length:10d}"
        scale.make_scale(text)
        scale.attrs["_Netcdf4Dimid"] = np.int32(numbers[dim])
    for name, (dims, values, attributes) in arrays.items():
        if name not in lengths:
            array = _write_array(file, name, dims, values, attributes)
            for i, dim in enumerate(dims):
                array.dims[i].attach_scale(file[dim])
        elif len(dims) > 1:  # text along its own axis
            file[name].attrs["_Netcdf4Coordinates"] = np.array([numbers[dim] for dim in dims], dtype="i4")


def _write_array(file: Any, name: str, dims: tuple[str, ...], values: np.ndarray, attributes: dict[str, str]) -> Any:
    array = file.create_dataset(name, data=values, maxshape=None if values.size else (None,) * values.ndim)
    for key, text in attributes.items():
        _write_text(array.attrs, key, text)
    return array


def _characters(values: np.ndarray) -> np.ndarray:
    """The UTF-8 bytes of texts along a last axis."""
    encoded = np.char.encode(values, "utf-8") if values.size else np.zeros(values.shape, "S1")
    width = max(encoded.dtype.itemsize, 1)
    raw = np.ascontiguousarray(encoded).astype(f"S{width}").tobytes()
    return np.frombuffer(raw, "S1").reshape(*values.shape, width)


def _write_text(attributes: Any, name: str, text: str) -> None:
    import h5py

    raw = text.encode()
    attributes.create(name, np.array(raw, dtype=h5py.string_dtype("utf-8", max(len(raw), SHORTEST))))


def unpack(path: str | Path, raw: bytes, *, arrays: bool = True) -> tuple[int, dict[str, str], dict[str, Array]]:
    """Format version, attributes and arrays of the bytes ``raw`` that were read from ``path``; no arrays without
    ``arrays``.

    Raises ResultFileError if they are truncated, changed, foreign, or of a newer format.
    """
    try:
        problem, version = damage(raw), _version(raw)
        if version is not None and version > FORMAT_VERSION:
            problem = f"has the newer format {version}, this version of ehbilayer reads formats up to {FORMAT_VERSION}"
            raise ResultFileError(path, problem, "upgrade ehbilayer")
        if problem or version is None:
            raise ResultFileError(path, problem or "is no result file of ehbilayer", "restore it or compute it again",
                                  damaged=True)
        if version == 1:
            return (1, *(netcdf_1.read(raw) if arrays else (netcdf_1.attributes(raw), {})))
        return (version, *_read(raw, arrays=arrays))
    except ResultFileError:
        raise
    except Exception as error:  # whatever HDF5 makes of a stranger's bytes
        problem = f"cannot be read ({type(error).__name__}: {error})"
        raise ResultFileError(path, problem, "restore it or compute it again", damaged=True) from error


def _seal(raw: bytes) -> bytes:
    """Put the SHA-256 of the file, taken with the digits zero, into its checksum."""
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
    try:
        with _open(raw) as file:
            if file.attrs.get_id("format_version").dtype.kind not in "iu":
                return None
            return int(np.ravel(file.attrs["format_version"])[0])  # netCDF numbers are lists of one
    except Exception:
        return None


def _open(raw: bytes) -> Any:
    """The file in the bytes, to be closed after use."""
    import h5py

    return h5py.File(h5py.h5f.open_file_image(raw))


def _read(raw: bytes, *, arrays: bool) -> tuple[dict[str, str], dict[str, Array]]:
    with _open(raw) as file:
        _refuse_foreign(file, CONTENT)
        content = json.loads(np.asarray(file[CONTENT][...]).tobytes().decode())
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
        values = netcdf_1.joined(values)
    elif kind == "text":
        values = _strings(values)
    told = {key: _text(array.attrs, key) for key in ("units", "description") if key in array.attrs}
    return dims if dims != ("",) else (), values, told


def _strings(characters: np.ndarray) -> np.ndarray:
    """Texts from their UTF-8 bytes along the last axis."""
    width = characters.shape[-1]
    encoded = np.frombuffer(np.ascontiguousarray(characters).tobytes(), f"S{width}").reshape(characters.shape[:-1])
    return np.char.decode(encoded, "utf-8") if encoded.size else np.zeros(encoded.shape, "U1")


def _refuse_foreign(file: Any, name: str) -> None:
    """Raise ValueError unless the entry is an array of numbers or characters in this very file, at its full size."""
    netcdf_1.refuse_elsewhere(file, name)
    array = file[name]
    if array.dtype.kind not in "iuf" and array.dtype != np.dtype("S1"):
        raise ValueError(f"{name} holds objects or text of variable length")
    # a few bytes can claim terabytes of fill values; nothing written here is ever compressed or left out
    if array.id.get_storage_size() < array.nbytes:
        raise ValueError(f"{name} claims a larger size than it has")
