"""Notebooks as pages of the documentation, with the output that is stored in them; nothing is run."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any


def pages(notebook: Path) -> dict[str, str | bytes]:
    """File name -> content: one Markdown page, and the pictures it shows.

    Of an output the picture is taken if there is one, else its text. Raises ValueError for an output that is an error.
    """
    files: dict[str, str | bytes] = {}
    parts: list[str] = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"]).strip("\n")
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code":
            parts.append(_fenced("python", source))
            parts += [_shown(output, notebook.stem, files) for output in cell["outputs"]]
    parts.append(f"This page is the notebook {{download}}`{notebook.name} <../../examples/{notebook.name}>`.")
    files[f"{notebook.stem}.md"] = "\n\n".join(part for part in parts if part) + "\n"
    return files


def _shown(output: dict[str, Any], stem: str, files: dict[str, str | bytes]) -> str:
    if output["output_type"] == "error":
        raise ValueError(f"the notebook {stem} holds an error: {output['ename']}")
    data = output.get("data", {})
    if "image/png" in data:
        name = f"{stem}-{len(files) + 1}.png"
        files[name] = base64.b64decode("".join(data["image/png"]))
        return f"![output]({name})"
    return _fenced("text", "".join(output.get("text", data.get("text/plain", ""))).rstrip("\n"))


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```" if text else ""
