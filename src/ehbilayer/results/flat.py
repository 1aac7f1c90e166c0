"""Arrays and texts as plain bytes: the texts as JSON, which says of every array its type, shape and place.

Reading takes slices of the bytes, and looks at each claim before it does.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from ehbilayer.results.variable import from_json

Array = tuple[tuple[str, ...], np.ndarray, dict[str, str]]  # axis names, values, attributes
_NUMBERS = re.compile(r"[<>|][iuf][1248]|\|S1")  # types of arrays


def stored(dims: tuple[str, ...], values: np.ndarray, attributes: dict[str, str]) -> Array:
    """An array as it is in the file, with attributes that say what it was."""
    kind = values.dtype.kind
    if kind == "c":
        return (*dims, "complex"), np.stack([values.real, values.imag], axis=-1), attributes | {"dtype": "complex"}
    if kind == "U":
        values = _characters(values)
        return (*dims, f"string{values.shape[-1]}"), values, attributes | {"dtype": "text", "_Encoding": "utf-8"}
    return (dims, values.astype("i1"), attributes | {"dtype": "bool"}) if kind == "b" else (dims, values, attributes)


def _characters(values: np.ndarray) -> np.ndarray:
    """The UTF-8 bytes of texts along a last axis."""
    encoded = np.char.encode(values, "utf-8") if values.size else np.zeros(values.shape, "S1")
    width = max(encoded.dtype.itemsize, 1)
    raw = np.ascontiguousarray(encoded).astype(f"S{width}").tobytes()
    return np.frombuffer(raw, "S1").reshape(*values.shape, width)


def entry_of(dims: tuple[str, ...], values: np.ndarray, attributes: dict[str, str], kept: np.ndarray) -> dict[str, Any]:
    """What the texts say of an array: axes, unit, and how its numbers lie in the file, in place of their number."""
    return {**attributes, "axes": list(dims), "holds": values.dtype.kind, "type": kept.dtype.str,
            "shape": list(kept.shape), "at": 0}


def to_text(content: dict[str, Any]) -> bytes:
    """The texts."""
    return json.dumps(content, ensure_ascii=False).encode()


def flat(attributes: dict[str, str], arrays: dict[str, Array]) -> tuple[bytes, int]:
    """Arrays and texts as `read` takes them, without the rest of a file, and where the texts begin."""
    blocks, place, entries = [], 0, {}
    for name, array in arrays.items():
        values = stored(*array)[1]
        entries[name] = entry_of(*array, values) | {"at": place}
        blocks.append(values.tobytes())
        place += values.nbytes
    return b"".join([*blocks, to_text({**attributes, "arrays": entries})]), place


def read(raw: bytes, place: int, length: int, *, arrays: bool) -> tuple[dict[str, str], dict[str, Array]]:
    """Texts and arrays of bytes whose texts have this place and length. Raises all kinds of errors for what is none."""
    content = from_json(raw[place:place + length].decode())
    entries, found, left = content.pop("arrays"), {}, len(raw)
    for name, entry in entries.items() if arrays else ():
        found[name] = _read_array(raw, entry, left)
        left -= math.prod(entry["shape"])  # at least a byte each: thousands of entries cannot say the same bytes
    return content, found


def _read_array(raw: bytes, entry: dict[str, Any], left: int) -> Array:
    """An array as it was given. Raises ValueError for what is no array of numbers or characters of this file."""
    if not _NUMBERS.fullmatch(entry["type"]):
        raise ValueError(f"{entry['type']} is no type of numbers")
    kept, shape, place = np.dtype(entry["type"]), tuple(entry["shape"]), int(entry["at"])
    if not all(isinstance(n, int) and n >= 0 for n in (place, *shape)):
        raise ValueError(f"there are no numbers of shape {shape} at {place}")
    size = math.prod(shape)
    if place + size * kept.itemsize > len(raw) or size > left:
        raise ValueError(f"numbers of shape {shape} at {place} do not lie in the file")
    values = np.frombuffer(raw, kept, size, place if size else 0).reshape(shape).astype(kept.newbyteorder("="))
    if entry["holds"] == "b":
        values = values.astype(bool)
    elif entry["holds"] == "c":
        values = joined(values)
    elif entry["holds"] == "U":
        values = strings(values)
    return tuple(entry["axes"]), values, {key: entry[key] for key in ("units", "description")}


def joined(parts: np.ndarray) -> np.ndarray:
    """Complex numbers from their real and imaginary parts along the last axis."""
    # part by part: a product with 1j would turn signed zeros around
    values = np.empty(parts.shape[:-1], dtype=np.result_type(parts.dtype, np.complex64))
    values.real, values.imag = parts[..., 0], parts[..., 1]
    return values


def strings(characters: np.ndarray) -> np.ndarray:
    """Texts from their UTF-8 bytes along the last axis."""
    width = characters.shape[-1]
    encoded = np.frombuffer(np.ascontiguousarray(characters).tobytes(), f"S{width}").reshape(characters.shape[:-1])
    return np.char.decode(encoded, "utf-8") if encoded.size else np.zeros(encoded.shape, "U1")
