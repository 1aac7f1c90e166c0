"""The promises of the result file, each broken on purpose: truncation, flipped bits, kill -9, full disk, strangers."""

from __future__ import annotations

import base64
import errno
import io
import json
import lzma
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

import sealed
from ehbilayer.errors import InputError
from ehbilayer.results import files, netcdf
from ehbilayer.results.base import NotConvergedError, Record, Result, ResultFileError, Variable, plain, set_aside
from ehbilayer.status import Status


def example(energy=-8.25, status=Status.converged):
    """A small result with every kind of array."""
    rng = np.random.default_rng(7)
    data = {
        "species": Variable(("species",), np.array(["electron", "hole", "Γ→K"]), "1", "names"),
        "orbitals": Variable(("species", "wave"), rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4)), "1"),
        "density": Variable(("x", "y"), rng.random((5, 2)), "a_h^-2", "electrons"),
        "waves": Variable(("wave", "axis"), rng.integers(-9, 9, (4, 2)), "1"),
        "filled": Variable(("wave",), np.array([True, True, False, True]), "1"),
        "single": Variable(("wave",), np.arange(4, dtype=np.float32), "a_h"),
        "area": Variable((), np.array(12.5), "a_h^2"),
        "nothing": Variable(("none", "axis"), np.zeros((0, 2)), "Ha_h"),
        "signs": Variable(("sign",), np.array([complex(-0.0, 0.0), complex(np.nan, -0.0)]), "1"),
    }
    summary = {"energy": energy, "gap": {"electron": 0.0285, "hole": None}, "starts": [{"status": status}]}
    return Record("hartree-fock", status, summary, {"bilayer": {"spacing": 4.83}}, data)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "result.nc"


DATA = Path(__file__).parent / "data"


def assert_same(a, b):
    assert (a.kind, a.status, a.summary, a.inputs) == (b.kind, b.status, b.summary, b.inputs)
    assert list(a.data) == list(b.data)
    for name, x in a.data.items():
        y = b.data[name]
        assert (x.dims, x.units, x.description, x.values.dtype) == (y.dims, y.units, y.description, y.values.dtype)
        assert x.values.shape == y.values.shape and x.values.tobytes() == y.values.tobytes(), name


# -- results --


def test_energy_of_an_unconverged_result_is_explicit():
    assert example().energy == -8.25
    for status in set(Status) - {Status.converged}:
        result = example(status=status)
        with pytest.raises(NotConvergedError, match=status.value) as error:
            _ = result.energy
        assert status.advice in str(error.value)
        assert result.energy_unconverged() == -8.25


def test_every_status_has_its_own_advice():
    assert len({status.advice for status in Status}) == len(Status)
    assert all("\n" not in status.advice for status in Status)


def test_dataset_holds_everything_with_units():
    result = example()
    dataset = result.dataset
    assert set(dataset.variables) == set(result.data) and "species" in dataset.coords
    for name, variable in result.data.items():
        assert dataset[name].attrs["units"] == variable.units
        np.testing.assert_array_equal(dataset[name].values, variable.values)
    assert dataset.attrs["status"] == "converged" and json.loads(dataset.attrs["summary"])["energy"] == -8.25


def test_plain_is_strict_json():
    mixed = {1: np.float64("nan"), "b": (np.int32(2), [np.inf, True]), "c": Status.saddle, "d": np.eye(2),
             "e": Path("f")}
    assert plain(mixed) == {"1": None, "b": [2, [None, True]], "c": "saddle", "d": [[1, 0], [0, 1]], "e": "f"}
    assert type(plain(mixed)["c"]) is str


@pytest.mark.parametrize(("make", "argument"), [
    (lambda: Variable(("x",), np.zeros((2, 2)), "1"), "dims"),
    (lambda: Variable(("x", "x"), np.zeros((2, 2)), "1"), "dims"),
    (lambda: Variable(("x",), np.zeros(2), ""), "units"),
    (lambda: Variable(("x",), np.array([{}, None]), "1"), "values"),
    (lambda: Variable(("x",), np.zeros(2, dtype=np.longdouble), "1"), "values"),
    (lambda: Record("a", Status.converged, {}, {}, {"k": Variable(("k", "y"), np.zeros((2, 2)), "1")}), "data.k"),
    (lambda: Record("a", Status.converged, {}, {}, {"a/b": Variable(("x",), np.zeros(2), "1")}), "data.a/b"),
    (lambda: Record("a", Status.converged, {}, {}, {"a": Variable(("complex",), np.zeros(2), "1")}), "data.a"),
    (lambda: Record("a", Status.converged, {}, {}, {"a": Variable(("x",), np.zeros(2), "1"),
                                                     "b": Variable(("x",), np.zeros(3), "1")}), "data.b"),
    (lambda: Record("a", Status.converged, {"z": [1, 2j]}, {}), "summary.z[1]"),
])
def test_what_no_file_can_hold_is_refused_at_once(make, argument):
    with pytest.raises(InputError) as error:
        make()
    assert error.value.argument == argument


# -- files --


def test_a_saved_result_comes_back(path):
    example().save(path)
    assert_same(Result.load(path), example())


def test_the_same_result_gives_the_same_bytes(path):
    example().save(path)
    first = path.read_bytes()
    Result.load(path).save(path)
    assert path.read_bytes() == first


def test_threads_write_at_the_same_time():
    expected = [example(energy=float(-i)).to_bytes() for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(lambda i: example(energy=float(-i)).to_bytes(), range(8))) == expected


def test_long_summaries_fit(path):
    result = Record("phases", Status.converged, {"text": "α" * 1_000_000}, {})
    result.save(path)
    assert Result.load(path).summary == result.summary


def test_other_netcdf_readers_see_names_and_units(path):
    import xarray

    example().save(path)
    with xarray.open_dataset(path) as dataset:
        assert dataset["density"].dims == ("x", "y") and dataset["density"].attrs["units"] == "a_h^-2"
        np.testing.assert_array_equal(dataset["density"], example().data["density"].values)
        assert dataset["species"].values.tolist() == ["electron", "hole", "Γ→K"] and "species" in dataset.coords
        assert dataset["orbitals"].dims == ("species", "wave", "complex")


def test_any_flipped_bit_and_any_truncation_is_named(path):
    example().save(path)
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    for _ in range(60):
        broken = bytearray(whole)
        broken[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        with pytest.raises(ResultFileError, match=r"result\.nc") as error:
            Result.load(path)
        assert "\n" not in str(error.value)
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ResultFileError, match=r"empty|damaged"):
            Result.load(path)
    path.write_bytes(whole)
    assert_same(Result.load(path), example())


def test_a_newer_format_is_refused_by_name(path, monkeypatch):
    monkeypatch.setattr(netcdf, "FORMAT_VERSION", 7)
    example().save(path)
    monkeypatch.undo()
    with pytest.raises(ResultFileError, match=r"newer format 7.*upgrade"):
        Result.load(path)
    example().save(path)
    path.write_bytes(path.read_bytes().replace(b" format 3,", b" format 8,"))  # by hand, so the checksum is wrong too
    with pytest.raises(ResultFileError, match=r"newer format 8.*upgrade"):
        Result.load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n", netcdf.SEAL + b"0" * 64,
                                     np.random.default_rng(3).bytes(5000)],
                         ids=["empty", "text", "bare", "sealed", "noise"])
def test_what_is_no_result_file_is_named(path, content):
    path.write_bytes(content)
    with pytest.raises(ResultFileError, match=r"result\.nc"):
        Result.load(path)


def test_a_missing_file_and_a_directory_are_named(tmp_path):
    for place in (tmp_path / "missing.nc", tmp_path):
        with pytest.raises(ResultFileError, match=place.name):
            Result.load(place)


# -- strangers' files: sealed correctly, with something dangerous or wrong in them --


@pytest.mark.parametrize(("name", "change", "reason"), [
    ("density", {"at": "9" * 15}, "do not lie"), ("density", {"at": -8}, "no numbers"),
    ("density", {"shape": [1 << 40, 2]}, "do not lie"), ("density", {"shape": [-5, -2]}, "no numbers"),
    ("density", {"shape": [5, 2.0]}, "no numbers"), ("density", {"shape": "52"}, "no numbers"),
    ("density", {"type": "|O"}, "no type of numbers"), ("density", {"type": "<f8,<f8"}, "no type of numbers"),
    ("density", {"type": "<f1"}, "TypeError"), ("density", {"axes": ["x"]}, "dims"), ("density", {"units": ""}, "unit"),
    ("density", {"units": None}, "unit"), ("density", {"axes": None}, "TypeError"),
    ("density", {"at": None}, "TypeError"), ("species", {"holds": "c"}, "TypeError"),
    ("orbitals", {"holds": "U"}, "ValueError|Unicode"), ("nothing", {"shape": [0, 1 << 70]}, "ValueError|Overflow"),
])
def test_an_entry_of_an_array_that_is_wrong(path, name, change, reason):
    example().save(path)
    path.write_bytes(sealed.edited(path.read_bytes(), lambda content: content["arrays"][name].update(change)))
    with pytest.raises(ResultFileError, match=rf"result\.nc.*({reason})") as error:
        Result.load(path)
    assert "\n" not in str(error.value) and error.value.damaged


def test_many_entries_cannot_multiply_a_file(path):
    Record("a", Status.converged, {}, {}, {"x": Variable(("x",), np.arange(10_000.0), "1")}).save(path)

    def multiply(content):
        content["arrays"] = {f"x{i}": content["arrays"]["x"] for i in range(1000)}

    path.write_bytes(sealed.edited(path.read_bytes(), multiply))
    with pytest.raises(ResultFileError, match="do not lie in the file"):
        Result.load(path)
    assert Result.load(path, arrays=False).kind == "a"


def test_nothing_of_a_file_of_today_is_given_to_hdf5(path, monkeypatch):
    example().save(path)
    text = example()
    for name in ("File", "h5f"):
        monkeypatch.setattr(h5py, name, None)
    assert_same(Result.load(path), text)


# -- the same for files of format 2, which HDF5 reads --


@pytest.fixture
def old(path):
    path.write_bytes(lzma.decompress((DATA / "format-2-example.nc.xz").read_bytes()))
    return path


def test_format_2_stays_readable(old):
    assert_same(Result.load(old), example())
    with_arrays = Result.load(old, arrays=False)
    assert with_arrays.summary == example().summary and not with_arrays.data


def soft_link(file):
    file["density"] = h5py.SoftLink("/area")


def external_link(file):
    file["density"] = h5py.ExternalLink("/etc/hostname", "/")


def external_storage(file):
    file.create_dataset("density", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("other.nc", "x", (4,))
    file.create_virtual_dataset("density", layout)


def references(file):
    file.create_dataset("density", data=np.array([file.ref], dtype=object), dtype=h5py.ref_dtype)


def opaque(file):
    file.create_dataset("density", data=np.zeros(3, dtype="V8"))


def group(file):
    file.create_group("density")


def terabytes(file):
    file.create_dataset("density", (1 << 40,), "f8", chunks=(1 << 20,))


def terabytes_of_text(file):
    file.create_dataset("density", (1 << 40,), h5py.string_dtype(), chunks=(1 << 20,))


def deep_content(file):
    del file["result.json"]
    file["result.json"] = np.full(100_000, b"[")


def other_status(file):
    text = file["result.json"][...].tobytes().replace(b"converged", b"splendid!")
    file["result.json"][...] = np.frombuffer(text, "S1")


def unit_of_any_length(file):
    del file["area"].attrs["units"]
    file["area"].attrs["units"] = "a_h^2"


def text_of_any_length(file):
    file.create_dataset("density", data=np.array(["a", "b"], dtype=object), dtype=h5py.string_dtype())


def no_units(file):
    del file["area"].attrs["units"]


def gone(file):
    pass


@pytest.mark.parametrize(("trick", "reason"), [
    (soft_link, "link"), (external_link, "link"), (group, "group"), (external_storage, "another file"),
    (virtual, "another file"), (references, "objects"), (opaque, "objects"), (terabytes, "larger size"),
    (terabytes_of_text, "variable length"), (text_of_any_length, "variable length"),
    (unit_of_any_length, "fixed length"), (deep_content, "RecursionError"), (other_status, "splendid"),
    (no_units, "units"), (gone, "density"),
])
def test_a_strangers_file_is_refused(old, trick, reason):
    resealed(old, trick, bare=trick not in (deep_content, other_status, unit_of_any_length, no_units))
    with pytest.raises(ResultFileError, match=rf"result\.nc.*{reason}") as error:
        Result.load(old)
    assert "\n" not in str(error.value)


def resealed(path, trick, *, bare):
    """Change a file and seal it again."""
    buffer = io.BytesIO(path.read_bytes())
    with h5py.File(buffer, "r+") as file:
        if bare:
            del file["density"]
        trick(file)
        file["checksum"][...] = np.frombuffer(netcdf.SEAL + b"0" * 64, "S1")
    path.write_bytes(netcdf._seal(buffer.getvalue()))
    assert not netcdf.damage(path.read_bytes())


def test_the_tricks_fail_for_what_they_are(old):
    """Not for how they got in: the same way with the same array is no trick."""
    values = example().data["density"].values

    def put_back(file):
        array = file.create_dataset("density", data=values)
        for name, text in {"axes": "x\ny", "units": "a_h^-2", "description": "electrons"}.items():
            netcdf._write_text(array.attrs, name, text)

    resealed(old, put_back, bare=True)
    assert_same(Result.load(old), example())


# -- writing --


def test_a_full_disk_leaves_the_old_file(path, monkeypatch):
    example().save(path)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ResultFileError, match=r"result\.nc.*no space left.*free some space") as error:
        example(energy=-9.0).save(path)
    assert "\n" not in str(error.value)
    monkeypatch.undo()
    assert_same(Result.load(path), example())
    assert [p.name for p in path.parent.iterdir()] == ["result.nc"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_place_that_may_not_be_written_to_is_named(path, monkeypatch, number):
    example().save(path)

    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ResultFileError, match=r"result\.nc: cannot be written.*choose a directory"):
        example(energy=-9.0).save(path)
    monkeypatch.undo()
    assert_same(Result.load(path), example())


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(ResultFileError, match="check the path"):
        example().save(tmp_path / "no" / "result.nc")


KILLED = """
import os, random, signal, sys, time
import numpy as np
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status
path, wave = sys.argv[1], np.arange(400_000.0)
def result(i):
    return Record("a", Status.converged, {"i": i}, {}, {"x": Variable(("n",), np.full(400_000, float(i)), "a_h")})
result(0).save(path)
for round in range(10):
    child = os.fork()
    if child == 0:
        for i in range(10_000):
            result(i).save(path)
        os._exit(0)
    time.sleep(random.Random(round).uniform(0.01, 0.08))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    loaded = Result.load(path)
    assert np.all(loaded.data["x"].values == loaded.summary["i"])
print("whole")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_kill_at_any_time_leaves_a_whole_file(path):
    run = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True, timeout=500)
    assert run.stdout == "whole\n", run.stderr


def test_set_aside_never_overwrites(path):
    for expected in ("result.nc.corrupt", "result.nc.corrupt-2", "result.nc.corrupt-3"):
        path.write_bytes(expected.encode())
        moved = set_aside(path)
        assert moved.name == expected and moved.read_bytes() == expected.encode() and not path.exists()
    with pytest.raises(ResultFileError, match="set aside"):
        set_aside(path)


def test_errors_survive_the_way_between_processes(path):
    error = ResultFileError(path, "is empty", "compute it again")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == f"{path}: is empty; compute it again"


# -- older formats: files as they were written then, packed with lzma --

FORMAT_1 = (
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4DKKBwldAESSBIRvent3SsRmT2odD3JpHhjMHxScxtmPnSHCVHE5vv+tFS9eASrqBFppY9Mni2obuHFy"
    "h8LnPUUUQW15PcGB6ObzaDBenOFw/8EiDlDKO5gjItbpAKaOLR2awHqT+fYml3BYgm3si0CLCqN+hiQrtx9YxilxybcBUKyJx18gnC4Nk2gIqEOU"
    "MbySEHxs4m9HbaEZX2coAtzs4VGEHpv3OB5jQYsUz8i/OTvDzOTXlVYyZ1k5KX3zDFLuFC0mq3qfNxXKdnYn4+pMguaDY0IFBHiLDN9swcceXWdu"
    "4lhK0/XWjH4bPIIf9/leWs3eUWTrIMcRI1vKTrygfcwadrd48SoQIm44D9XZOifgLgEQ/Ie7hQ2e2X8yHj1nBXS6W5jMa6LptbI6nvDjuGOo234k"
    "SiBMpkHSVBP8WWarn4i+i7+9LfjWLdCbHRkSJzZc0nlE0SRfVkQ3UG9XfXMm0sPaQjzykAWlksGs7YpsqVZVzcaK/agE6jBwROisFC93inpkxj2Q"
    "zWbRx1/FgZfR0EmgtJ2M3iwh1a8+my60Py6w6ZAp51/omT9DnB8lVlCJeZJvQOjBs1HLlCtebB4jUW/Cf/MmkyzP32cmBCQ04hImf+WtDezYVokj"
    "hE2KM4tfF9IhssQFLsm5VQUL3Oc83x7tSXgEnVWM/Y3ghb5ofKDl2SsEI4RNqVz9gEu7Sd1wujRNRJsLizyenPmE1YVJLqUg+GUMx/yOmjguvwls"
    "/Kc07KxSsVKH3WxwUs28+do5bGSceLpNy+PoKOJDZFG58EiFgJohhLNI25V8Kfe6XS/wb1RmEu7Qxnww21u/TTKo6QMFMGV6VuShLbWFs3xDl0zL"
    "flkWylsE+oFP9ClWh/AwW9/5/WLqY+6KpWqlm0ljPx8Jhwe3ahvZkWo2HxmQ1Bf60zi68Ss22JezQJvlEXd+VA2vcS51Q6DE/ikMfhBkyM0GRBK8"
    "oThRC1UkGm917BJXsciZs63fP8OHJnb4XrkofElxMzrHANZepxxYMvTflJzEONKDDOmSUADotpzRi7AF8M+c0pTOwzNn85FML7fcW+qInZxF+cL8"
    "OeRC314UkNmu1A3JswtsLvmyzOrBG8bLcnGTt63+Pm9f/BETvlQFbB/37X7ZH5O1JBMfhVrzgFNdXDR6TPIMekMgC87HCh4xYTO3bqAUnqQJUQ38"
    "YnMeCx6fZvca3RdXMIWtEsnX9pAV2ZSzL8bCe4a6spx6qmU3I/pq2Qy0xjkzbo02Ts7cgHqF2XlCR3a8/6zofr4fC15rkAZC3miZJb6CBx+VmtUZ"
    "5EPCRUH2qBZkXQ8EMyo1DTvNJv1gh9Rnw+sj1csX+2twfmOyILnjD4+GbzpRHAYwB0F5RyGRr1azfmnfUa1+fIR8iT7QetrvKAD+rWWTsGTHi2gV"
    "KbDzePdv/t66DiibGiLzEBb0amjlD4cYqthx2YFnWGecIR53km4WGg+hu+6A9zb+Iiaq8SJvnNDK3ddOzdz10iozA3vkejv79FRQxZN2mfg3kDBl"
    "vQa7SwZ36LQpqtLhViNJI707XtrFcDXdOdbLaMUj16MLgyFwU2QRWrII7X+dGJ2IC3Dh/Li+tl9zKQMZGLEOqOvFNUPUjqPT9s7cGxrcpj9Kmasd"
    "1AmmzxLYQoucBxAZYyu9BZIT4zb3nFjJqmQ0JiP+P612QL81Pq0WaR/dTLvHVPMOsWDVI+/sZMP5j+Du6vvynh66MkhZwATFZUwU4BSDuj3dkmdU"
    "fX11u9OhqIa0DzjRCDj7y/jf+LY5c6mSnCWrE7brnERlBbS8eMBeQkTpc2GnPbVEB/dmoOerUy9pmL0mkxinyj5fWtPAQyeqHY/TAZ8xEU+P+pko"
    "aYmGPg4Sa3sv4fQPFcxytwaX3/i7e3Esf0wVnV+HEwvRETMJURxwiV4TxF4ADaW6/J9T5Cf5oYPkmSSNsrCOj+0MRvCurCxfL81ZtdOZTQmnBprA"
    "/KZL58k1VRocBlHojO2MUcqITdQSW5hks8bxjuE6A0EPO1mjV6mMtRaVZEcbhkW1mFolKFanNo6eBNpRq6Eg72YVm63zrVN9aYXXk0FMImWDyxeD"
    "ke3S8hiY8DzYv6UvT8aRyKymSOsbfHQbm25LEqFdpPLc8m9CJHA0LgbiThei/gk4yDItLw68AAQTAY5Tx8pmJd74KBHXxvNOWzQ0BUfdHEpiX16y"
    "Q2rDULvVd+bHiPYfEhmbA60JAWSfy9OLv/82ePWPyJSzt3IPro/icS9pyM1l3MjHc08WSnsqk7fiHOUj0vYCxWYs43bS5ZJ42rtQCnxI0oqnV7VF"
    "ay94Sh+3wKWo8mkjspc1jBKc8tI022+skJm1glJn2wYz5P4L2V/rxR2+t3M/kN67m2FJ5uG1phxrjDhGyRpAdapAAAAAAAAA2r4SSVW+c6kAAaUO"
    "i2UAABDS8EGxxGf7AgAAAAAEWVo="
)


def test_format_1_stays_readable(path):
    path.write_bytes(lzma.decompress(base64.b64decode(FORMAT_1)))
    result = Result.load(path)
    assert (result.kind, result.status, result.energy_unconverged()) == ("hartree-fock", Status.saddle, -8.25)
    assert result.inputs == {"bilayer": {"spacing": 4.83}} and result.summary["gap"] == {"hole": None}
    assert {name: v.values.tolist() for name, v in result.data.items()} == {
        "orbitals": [[1 + 2j, -0.5j, 3]], "filled": [True, False, True], "label": ["Γ", "K"], "density": [0.5, 1.5]}
    assert result.data["orbitals"].dims == ("orbital", "wave") and result.data["density"].units == "a_h^-2"
