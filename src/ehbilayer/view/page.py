"""The HTML file: the data, the library that draws, the script and the looks, in one text that fetches nothing.

What a result file says stays text. It stands in the page as JSON whose ``<``, ``>`` and ``&`` are escaped, so that it
ends no element and begins none; the script writes it as text only, never as HTML; and a content policy in the head
allows the two scripts with the digests written there and nothing else: no other script, no request, no form.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import fields, is_dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from ehbilayer import __version__
from ehbilayer.errors import InputError, printable
from ehbilayer.view.data import Report

SCRIPTS = ("numbers.js", "charts.js", "report.js")
# in JSON these four stand for themselves and open or close nothing in HTML
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def library() -> str:
    """The script of Plotly. Raises InputError where the extra is not installed."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise InputError("ehb view", "run with Plotly installed", "without it",
                         "pip install 'ehbilayer[view]'") from None
    return str(get_plotlyjs())


def html(report: Report, plotly: str) -> str:
    """The page of a report; the same report gives the same text."""
    here = files("ehbilayer.view")
    script = "\n".join((here / name).read_text(encoding="utf-8") for name in SCRIPTS)
    parts = {"@title": escape(printable(report.title)), "@version": escape(__version__),
             "@policy": policy(plotly, script), "@style": (here / "report.css").read_text(encoding="utf-8"),
             "@data": to_json(report), "@plotly": plotly, "@script": script}
    text = (here / "report.html").read_text(encoding="utf-8")
    pieces = []
    for name, value in parts.items():  # in the order of the page, so that nothing is looked for in what was put in
        before, _, text = text.partition(f"{name}@")
        pieces += [before, value]
    return "".join([*pieces, text])


def policy(*scripts: str) -> str:
    """What the page may do: run these scripts, style itself, show pictures that it made."""
    digests = " ".join(f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data: blob:; "
            "base-uri 'none'; form-action 'none'")


def to_json(report: Report) -> str:
    """Strict JSON of a report that can stand in a script element."""
    return json.dumps(plain(report), allow_nan=False, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def plain(value: Any) -> Any:
    """What JSON holds of a report: tables, lists, texts, numbers, arrays as ``{type, base64}``."""
    if isinstance(value, np.ndarray):
        kept = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        shape = {"shape": list(value.shape)} if value.ndim > 1 else {}
        kind = f"{value.dtype.kind}{value.dtype.itemsize}"
        return {"type": kind, "base64": b64encode(kept.tobytes()).decode()} | shape
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, str):
        return printable(value.encode(errors="replace").decode())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
