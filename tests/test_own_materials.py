"""Devices of one's own from a file: a study that names one is the study that says its values."""

import pytest

from ehbilayer import InputError, cli, load_study, make_study
from ehbilayer.studies.file import digest

MINE = '''["my device"]
electron_mass = 0.5
hole_mass = 0.4
dielectric = 4.5
electron_flavours = 4
source = "table 3"

[encapsulated]
electron_mass = 0.5
hole_mass = 0.4
[encapsulated.screening]
dielectric_in_plane = 6.93
dielectric_out_of_plane = 3.76
gate_top = "10 nm"
'''
STUDY = 'kind = "few-body"\n[bilayer]\nmaterial = "{}"\nspacing = "3 nm"\n[few-body]\ncomplex = "exciton"\n'
VALUES = {"electron_mass": 0.5, "hole_mass": 0.4, "dielectric": 4.5, "electron_flavours": 4, "spacing": "3 nm"}


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    for name in ("my device", "encapsulated"):
        (tmp_path / f"{name.split()[0]}.toml").write_text(STUDY.format(name))
    return tmp_path


def test_a_name_stands_for_its_values(mine):
    named = load_study(mine / "my.toml", materials=mine / "mine.toml")
    said = make_study({"kind": "few-body", "bilayer": VALUES, "few-body": {"complex": "exciton"}})
    assert digest(named.canonical()) == digest(said.canonical())
    other = load_study(mine / "my.toml", ["bilayer.hole_mass=0.6"], materials=mine / "mine.toml")
    assert (other.bilayer.hole_mass, other.bilayer.electron_mass) == (0.6, 0.5)
    screened = load_study(mine / "encapsulated.toml", ['screening.gate_top="20 nm"'], materials=mine / "mine.toml")
    assert screened.bilayer.interaction == "screened"
    assert (screened.screening.gate_top, screened.screening.dielectric_in_plane) == ("20 nm", 6.93)


def test_the_command_takes_the_file(mine, monkeypatch, capsys):
    monkeypatch.chdir(mine)
    assert cli.execute(["run", "my.toml", "--materials", "mine.toml", "--json"]) == 0
    assert '"hole_mass": 0.4' in capsys.readouterr().out
    assert cli.execute(["show", "my"]) == 0  # needs the file no more
    assert cli.execute(["units", "--material", "my device", "--materials", "mine.toml", "--json"]) == 0
    assert cli.execute(["run", "my.toml"]) == 2
    assert "known" in capsys.readouterr().err


@pytest.mark.parametrize("text, argument", [
    ('["WSe2/MoSe2"]\nelectron_mass = 0.5\nhole_mass = 0.4\n', "WSe2/MoSe2"),
    ("[a]\nelectron_mass = 0.5\n", "a.hole_mass"),
    ("[a]\nelectron_mass = -1.0\nhole_mass = 0.4\n", "a.electron_mass"),
    ("[a]\nelectron_mass = 0.5\nhole_mass = 0.4\nmass = 1\n", "a.mass"),
    ("[a]\nelectron_mass = 0.5\nhole_mass = 0.4\nscreening = 3\n", "a.screening"),
    ("[a]\nelectron_mass = 0.5\nhole_mass = 0.4\n[a.screening]\ngate = 3\n", "a.screening.gate"),
    ("a = 3\n", "a"),
])
def test_what_is_wrong_with_a_file_is_said_in_one_line(mine, text, argument):
    (mine / "bad.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_study(mine / "my.toml", materials=mine / "bad.toml")
    assert caught.value.argument == argument and "\n" not in str(caught.value)


def test_they_are_not_swept_by_name(mine):
    with pytest.raises(InputError, match="sweep the masses"):
        make_study({"kind": "few-body", "few-body": {"complex": "exciton"}, "bilayer": {"spacing": "3 nm"},
                    "sweep": {"bilayer.material": ["my device", "WSe2/MoSe2"]}}, materials=mine / "mine.toml")
