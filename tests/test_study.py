"""The study file: what is read, what is refused, and how the refusal reads."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ehbilayer.errors import InputError
from ehbilayer.studies.file import digest, json_schema, load_study, make_study

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.toml"))


def tables() -> dict[str, Any]:
    return {"kind": "hartree-fock", "bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"},
            "density": {"hole": "1.29e12 cm^-2", "electrons_per_hole": 2},
            "cell": {"shape": "rectangular", "holes": 36, "plane_waves": [45, 39], "zero_mode": "none"}}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_are_valid(path: Path) -> None:
    study = load_study(path)
    assert study.name == path.stem and study.ignored() == []


@pytest.mark.parametrize(("override", "key", "hint"), [
    ("cell.zero_mod=none", "cell.zero_mod", 'did you mean "zero_mode"'),
    ("cell.zero_mode=nine", "cell.zero_mode", 'did you mean "none"'),
    ("cell.rs_hole=3", "cell.rs_hole", "belongs in [density]"),
    ("rs_hole=3", "rs_hole", "belongs in [density]"),
    ("hartree_fock.start=random", "hartree_fock", 'did you mean "hartree-fock"'),
    ("kind=hartee-fock", "kind", 'did you mean "hartree-fock"'),
    ("cell=3", "cell", "[cell]"),
    ("cell.holes=36.5", "cell.holes", "integer"),
    ("cell.holes=36.0", "cell.holes", "integer"),
    ("cell.holes=0", "cell.holes", "integer"),
    ("cell.holes=-4", "cell.holes", "integer"),
    ("cell.holes=true", "cell.holes", "integer"),
    ("cell.holes='36'", "cell.holes", "integer"),
    ("cell.holes=nan", "cell.holes", "integer"),
    ("cell.plane_waves=[4, 5]", "cell.plane_waves", "odd"),
    ("cell.plane_waves=[5]", "cell.plane_waves", "odd"),
    ("cell.plane_waves=[5, 5, 5]", "cell.plane_waves", "odd"),
    ("cell.vectors=[[1, 0], [0]]", "cell.vectors", "two vectors"),
    ("cell.cutoff=-1", "cell.cutoff", "positive"),
    ("cell.hexagon=10000", "cell.hexagon", "800"),
    ("bilayer.spacing=nan", "bilayer.spacing", "length"),
    ("bilayer.spacing=inf", "bilayer.spacing", "length"),
    ("bilayer.spacing=3 parsec", "bilayer.spacing", "units: nm"),
    ("bilayer.spacing=3 cm^-2", "bilayer.spacing", "unit of density"),
    ("bilayer.spacing=[3]", "bilayer.spacing", "length"),
    ("bilayer.hole_mass=-1", "bilayer.hole_mass", "positive"),
    ("bilayer.hole_mass=0", "bilayer.hole_mass", "positive"),
    ("bilayer.electron_mass=nan", "bilayer.electron_mass", "positive"),
    ("bilayer.electron_mass=inf", "bilayer.electron_mass", "positive"),
    ("bilayer.dielectric=0", "bilayer.dielectric", "positive"),
    ("bilayer.dielectric=true", "bilayer.dielectric", "positive"),
    ("bilayer.capacitor=1", "bilayer.capacitor", "true or false"),
    ("density.rs_hole=-8", "density.rs_hole", "r_s"),
    ("density.rs_hole=1" + "0" * 5000, "density.rs_hole", "r_s"),
    ("density.hole=1.29e12 cm^-3", "density.hole", 'did you mean "cm^-2"'),
    ("density.electrons_per_hole=abc", "density.electrons_per_hole", "ratio"),
    ("hartree-fock.electron_spin=restrcted", "hartree-fock.electron_spin", 'did you mean "restricted"'),
    ("hartree-fock.starts=99999999999", "hartree-fock.starts", "100000"),
    ("hartree-fock.tolerance=1e-20", "hartree-fock.tolerance", "1e-13"),
    ("hartree-fock.tolerance=0", "hartree-fock.tolerance", "1e-13"),
    ("pairing.method=bsc", "pairing.method", 'did you mean "bcs"'),
    ("few-body.complex=trion", "few-body.complex", "did you mean"),
    ('sweep."density.rs_hol"=[1]', "sweep", 'did you mean "density.rs_hole"'),
    ("sweep.density.rs_hole=[]", 'sweep."density.rs_hole"', "list"),
    ("sweep.mode=grit", "sweep.mode", "grid"),
    ("no equals sign", "--set", "table.key=value"),
    ("=3", "--set", "table.key=value"),
])
def test_bad_values_name_key_and_way_out(override: str, key: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        make_study(tables(), [override])
    assert caught.value.argument == key and hint in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(("table", "extra"), [("density", {"rs_hole": 8}), ("cell", {"hexagon": 7}),
                                              ("cell", {"vectors": [[1.0, 0.0], [0.0, 1.0]]}),
                                              ("cell", {"electrons": 4}), ("density", {"rs_electron": 2.0})])
def test_the_same_thing_said_twice(table: str, extra: dict[str, Any]) -> None:
    data = tables()
    data[table] |= extra
    with pytest.raises(InputError, match="only one of") as caught:
        make_study(data)
    assert caught.value.argument.split(".")[0] == table


def test_an_override_replaces_its_alternatives() -> None:
    study = make_study(tables(), ["density.rs_hole=8", "cell.hexagon=7"])
    assert study.density.hole is None and study.cell.plane_waves is None
    assert study.replaced == ("density.hole", "cell.plane_waves")
    with pytest.raises(InputError, match="set alone"):
        make_study(tables(), ["density.rs_hole=8", "density.rs_electron=2"])


def test_overrides_are_toml_or_text() -> None:
    study = make_study(tables(), ["hartree-fock.start=random", 'bilayer.spacing="2 nm"', "hartree-fock.starts=3",
                                  "bilayer.capacitor=true", "cell.plane_waves=[7, 5]"])
    assert study.hartree_fock.start == "random" and study.bilayer.spacing == "2 nm"
    assert study.hartree_fock.starts == 3 and study.bilayer.capacitor and study.cell.plane_waves == [7, 5]


def test_an_override_cannot_smuggle_in_other_keys() -> None:
    with pytest.raises(InputError, match=r"bilayer\.spacing"):
        make_study(tables(), ["bilayer.spacing='3 nm'\nother = 1"])


def test_shape_may_be_vectors() -> None:
    data = tables()
    data["cell"]["shape"] = [[1, 0], [0, 2]]
    assert make_study(data).cell.vectors == [[1.0, 0.0], [0.0, 2.0]]


def test_unused_keys_are_listed() -> None:
    data = tables() | {"condensate": {"limit": "thermodynamic"}, "pairing": {"alpha": 0.3}}
    data["cell"]["holes_per_cell"] = 2
    data["density"]["critical_rs"] = 2.0
    assert make_study(data).ignored() == ["density.critical_rs", "cell.holes_per_cell", "condensate.limit",
                                          "pairing.alpha"]


@pytest.mark.parametrize("kind", ["condensate", "phases", "phase-diagram", "compressibility", "pairing", "device",
                                  "crystal", "phonons", "few-body"])
def test_keys_of_every_kind_are_valid(kind: str) -> None:
    text = """
    [condensate]
    limit = "thermodynamic"
    [phases]
    candidates = ["liquid", "hole-crystal", "crystal", "condensate"]
    [sweep]
    "density.rs_hole" = [4, 6, 8]
    mode = "grid"
    [compressibility]
    method = "response"
    sizes = [36, 64, 144]
    [pairing]
    alpha_squared = 0.09
    rs_star = 2
    method = "bcs"
    mu_star = "morel-anderson"
    umklapp = "debye"
    [crystal]
    structure = "honeycomb"
    holes_per_cell = 1
    layers = 1
    relax = "cell"
    starts = 20
    seed = 1
    [few-body]
    complex = "trion-"
    spin = "singlet"
    tolerance = 1e-6
    """
    study = make_study(tables() | {"kind": kind} | tomllib.loads(text))
    assert study.kind == kind and study.pairing.alpha_squared == 0.09


def test_digest_ignores_layout_and_unused_keys() -> None:
    data = tables()
    shuffled = {k: dict(reversed(v.items())) if isinstance(v, dict) else v for k, v in reversed(data.items())}
    shuffled["pairing"] = {"alpha": 0.3}
    one, two = make_study(data), make_study(shuffled, ["density.electrons_per_hole=2.0"])
    assert digest(one.canonical()) == digest(two.canonical())
    assert digest(one.canonical()) != digest(make_study(data, ["hartree-fock.seed=1"]).canonical())


@pytest.mark.parametrize(("content", "hint"), [
    (b"kind = hartree-fock", "quotes"), (b'kind = "a"\nkind = "b"', "once"), (b"\xff\xfe\x00", "UTF-8"),
    (b"x = " + b"[" * 100_000, "TOML"), (b"#" * 1_000_001, "1 MB"), (b"x = " + b"1" * 10_000, "TOML"), (b"", "kind"),
    (b"[density]\nrs_hole = 8\nrs_hole = 9", "once")])
def test_unreadable_files(tmp_path: Path, content: bytes, hint: str) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_study(path)
    assert hint in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, hint in ((tmp_path, "a directory"), (tmp_path / "none", "no such file"), (tmp_path / "pipe", "regular"),
                       (tmp_path / ("n" * 300), "too long")):
        with pytest.raises(InputError, match=hint):
            load_study(path)


def test_schema_names_the_tables_as_the_file_does() -> None:
    properties = json_schema()["properties"]
    assert {"kind", "bilayer", "cell", "hartree-fock", "few-body", "sweep"} <= set(properties)
