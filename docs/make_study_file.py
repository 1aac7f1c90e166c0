"""Write the tables of docs/study-file.md from the schema: keys, values, defaults. What a key does is kept as it stands.

    python docs/make_study_file.py

A new key gets a row of its own, and an empty last column to be filled in; a key that is gone loses its row.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from ehbilayer.studies.tables import tables

PAGE = Path(__file__).parent / "study-file.md"
SECTION = re.compile(r"^### \[(?P<name>[a-z-]+)\]\n.*?(?=^#|\Z)", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"^\| key \|[^\n]*\n\|[-|]*\|\n(?:\|[^\n]*\n)*", re.MULTILINE)
CELL = re.compile(r"(?<!\\)\|")


def row(key: str, name: str) -> str:
    """The row of a key of [name], up to its default."""
    field = tables()[name].model_fields[key]
    value = (field.description or "").replace(" | ", ", ").replace("|", "\\|")
    default = "-" if field.default is None else f"`{json.dumps(field.default)}`"
    return f"| `{key}` | {value} | {default} |"


def table(name: str, old: str) -> str:
    """The table of [name]; from the old one come its columns and what each key does."""
    head, line, *rows = old.splitlines()
    cells = [[c.strip() for c in CELL.split(r)[1:-1]] for r in rows]
    does = {c[0].strip("`"): c[3] for c in cells if len(c) == 4}
    wide = len(CELL.split(head)) - 2 == 4
    new = [row(key, name) + (f" {does.get(key, '')} |" if wide else "") for key in tables()[name].model_fields]
    return "\n".join([head, line, *new]) + "\n"


def written(text: str) -> str:
    """The page with every table anew. Raises ValueError for a table of the study file without a section."""
    found = {m["name"] for m in SECTION.finditer(text)}
    if missing := set(tables()) - found:
        raise ValueError(f"no section in {PAGE.name} for {', '.join(sorted(missing))}")

    def section(match: re.Match[str]) -> str:
        return TABLE.sub(lambda old: table(match["name"], old[0]), match[0], count=1)

    return SECTION.sub(section, text)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
