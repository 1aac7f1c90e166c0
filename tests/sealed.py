"""Result files changed by someone who can seal them: the checksum is right, the content is not."""

import json
from collections.abc import Callable
from typing import Any

from ehbilayer.results import netcdf


def resealed(raw: bytes) -> bytes:
    """Changed bytes with the checksum that belongs to them."""
    start = raw.index(netcdf.SEAL) + len(netcdf.SEAL)
    return netcdf._seal(raw[:start] + b"0" * 64 + raw[start + 64:])


def edited(raw: bytes, change: Callable[[Any], object]) -> bytes:
    """The file with its texts changed; the new ones are put at its end."""
    place, length = places(raw)
    content = json.loads(raw[place:place + length])
    change(content)
    text = json.dumps(content).encode()
    old, new = (b"at %015d of %015d" % where for where in ((place, length), (len(raw), len(text))))
    return resealed(raw.replace(old, new) + text)


def places(raw: bytes) -> tuple[int, int]:
    """Where the texts of a file of today lie, and how long they are."""
    found = netcdf._PLACES.match(raw, raw.index(netcdf.SEAL) + len(netcdf.SEAL))
    assert found is not None
    return int(found[2]), int(found[3])
