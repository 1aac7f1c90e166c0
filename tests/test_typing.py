"""The package is typed: a program that uses it passes `mypy --strict`, and mistakes in one are found."""

from pathlib import Path

import pytest

import ehbilayer

ROOT = Path(__file__).parents[1]
EXAMPLE = Path(__file__).parent / "typing_example.py"


def checked(path: Path) -> str:
    """What mypy says of a file, with the settings of the project; nothing where it finds nothing."""
    api = pytest.importorskip("mypy.api", reason="needs mypy")
    out, err, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", str(path)])
    return str(out + err)


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(ehbilayer.__file__).parent / "py.typed").exists()


def test_a_typed_program_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert checked(EXAMPLE) == ""


def test_mistakes_in_a_typed_program_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = EXAMPLE.read_text(encoding="utf-8")
    wrong = text.replace('return number.to("meV")', "return number.to(3)").replace("holes=36", "hole=36")
    wrong = wrong.replace(".winner", ".winners")
    assert wrong != text
    path = tmp_path / "wrong.py"
    path.write_text(wrong, encoding="utf-8")
    found = checked(path)
    assert 'Argument 1 to "to" of "Quantity" has incompatible type "int"' in found
    assert 'Unexpected keyword argument "hole" for "Torus"' in found
    assert '"CompetitionResult" has no attribute "winners"' in found
