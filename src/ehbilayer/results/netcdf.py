"""Named arrays and texts as the bytes of one netCDF-4 file, sealed with their own checksum.

The file is made in memory. Its array ``checksum`` holds the SHA-256 of all its bytes, so that reading finds any
truncation or flipped bit, and where the array ``result.json`` lies. That one holds all texts, and type, shape and
place of every array. So reading takes slices of the bytes: whatever a stranger wrote, HDF5 does not parse it, no text
of variable length keeps it busy for ever, and nothing is executed: no pickles, no objects, no links. For other readers
it is netCDF-4 with axes, units and descriptions. Older formats are read by `old_formats`.
"""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.results import netcdf_1, old_formats
from ehbilayer.results.files import LARGEST, ResultFileError, in_words, one_line
from ehbilayer.results.flat import Array, entry_of, read, stored, to_text

FORMAT_VERSION = 3
SEAL = b"ehbilayer-sha256:"  # followed by 64 hexadecimal digits, which count as zeros when the file is hashed
CONTENT, CHECKSUM = "result.json", "checksum"  # arrays of characters: all texts as JSON with the order of arrays; seal
SHORTEST = 2  # bytes of an attribute: netCDF takes those of one byte for characters
DIGITS = 15  # of places in the file, always as many
_PLACES = re.compile(rb"[0-9a-f]{64} format (\d{1,6}), content at (\d{15}) of (\d{15})")  # after the seal's name


def pack(attributes: dict[str, str], arrays: dict[str, Array]) -> bytes:
    """The sealed file. The same contents give the same bytes: nothing in them depends on the time or the place.

    Complex arrays become real ones with a last axis ``complex`` of length 2, booleans bytes, text characters.
    """
    import h5py

    kept = {name: stored(*array) for name, array in arrays.items()}
    entries = {name: entry_of(*arrays[name], kept[name][1]) | {"at": "0" * DIGITS} for name in arrays}
    content = {**attributes, "arrays": entries}
    for name, text in {CONTENT: to_text(content), CHECKSUM: _seal_text(0, 0)}.items():
        kept[name] = (f"string{len(text)}",), np.frombuffer(text, "S1"), {}
    name = f"result-{threading.get_ident()}"  # never on disk, but HDF5 shares files in memory by their name
    with h5py.File(name, "w", driver="core", backing_store=False, track_order=True) as file:
        for name in ("kind", "status"):
            _write_text(file.attrs, name, attributes[name])
        file.attrs["format_version"] = np.array([FORMAT_VERSION])
        _write_arrays(file, kept)
        file.flush()
        for name, entry in entries.items():
            entry["at"] = f"{file[name].id.get_offset() or 0:0{DIGITS}d}"
        text = to_text(content)
        file[CONTENT][...] = np.frombuffer(text, "S1")
        file[CHECKSUM][...] = np.frombuffer(_seal_text(file[CONTENT].id.get_offset(), len(text)), "S1")
        file.flush()
        return _seal(file.id.get_file_image())


def _seal_text(place: int, length: int) -> bytes:
    """The checksum, still zero, and where all texts lie."""
    where = f" format {FORMAT_VERSION}, content at {place:0{DIGITS}d} of {length:0{DIGITS}d}"
    return SEAL + b"0" * 64 + where.encode()


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
        problem, places = damage(raw), _PLACES.match(raw, raw.find(SEAL) + len(SEAL))
        if places is not None and int(places[1]) > FORMAT_VERSION:
            newer = int(places[1])
            problem = f"has the newer format {newer}, this version of ehbilayer reads formats up to {FORMAT_VERSION}"
            raise ResultFileError(path, problem, "upgrade ehbilayer")
        if problem:
            raise ResultFileError(path, problem, "restore it or compute it again", damaged=True)
        if places is None:
            version, raw, place, length = old_formats.converted(path, raw, arrays=arrays)
            return (version, *read(raw, place, length, arrays=arrays))
        return (int(places[1]), *read(raw, int(places[2]), int(places[3]), arrays=arrays))
    except ResultFileError:
        raise
    except Exception as error:  # whatever a stranger's texts lead to
        problem = f"cannot be read ({one_line(error)})"
        raise ResultFileError(path, problem, "restore it or compute it again", damaged=True) from error


def _seal(raw: bytes) -> bytes:
    """Put the SHA-256 of the file, taken with the digits zero, into its checksum.

    Raises InputError for a file that would be too large to be read again.
    """
    if len(raw) > LARGEST:
        raise InputError("data", f"of at most {in_words(LARGEST)}", in_words(len(raw)), "keep fewer arrays")
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
