"""Compiled code is kept, and forgotten when a file changes that it was made of."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ehbilayer.monte_carlo import compiled

CALLER = "from room.compiled import compiled\nfrom room.called import f\n\n\n@compiled\ndef g(x):\n    return f(x)\n"


def value(place: Path, number: int) -> float:
    """g(1), by a process of its own, with f(x) = number x in the other file."""
    (place / "room" / "called.py").write_text(
        f"from room.compiled import compiled\n\n\n@compiled\ndef f(x):\n    return {number} * x\n")
    told = subprocess.run([sys.executable, "-c", "from room.caller import g; print(g(1.0))"], cwd=place, text=True,
                          capture_output=True, check=True, env=os.environ | {"PYTHONPATH": str(place)})
    return float(told.stdout)


def test_a_change_in_another_file_counts(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    shutil.copy(compiled.__file__, tmp_path / "room" / "compiled.py")
    (tmp_path / "room" / "__init__.py").write_text("")
    (tmp_path / "room" / "caller.py").write_text(CALLER)
    kept = tmp_path / "room" / "__pycache__"
    assert value(tmp_path, 3) == 3.0 and len(list(kept.glob("numba-*"))) == 1
    assert list(kept.glob("numba-*/**/*.nbc"))
    assert value(tmp_path, 5) == 5.0 and len(list(kept.glob("numba-*"))) == 2
    (tmp_path / "room" / "other.py").write_text("a = 1\n")
    assert value(tmp_path, 5) == 5.0 and len(list(kept.glob("numba-*"))) == 2


def test_compiled_functions_need_no_other_file_here() -> None:
    room = Path(compiled.__file__).parent
    with_some = {file for file in room.glob("*.py") if compiled.USED in file.read_bytes()}
    assert len(with_some) > 5
    counted = {f"ehbilayer.monte_carlo.{file.stem}" for file in with_some} | {compiled.__name__}
    for file in with_some:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ehbilayer.monte_carlo"):
                assert node.module in counted, f"{file.name} imports {node.module}"
