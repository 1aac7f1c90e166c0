"""What cannot fit into the memory is refused before it is tried, and says how much it needs."""

from pathlib import Path
from typing import Any

import pytest

from ehbilayer.errors import InputError
from ehbilayer.numerics import memory
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import prepare

GB = 10**9


def system(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


@pytest.mark.parametrize(("files", "free"), [
    ({"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n"}, 5000 * 1024),
    ({"proc/meminfo": "MemAvailable: 5000 kB\n", "proc/self/cgroup": "0::/job/step\n",  # the job has less than its step
      "sys/fs/cgroup/job/step/memory.max": "max\n", "sys/fs/cgroup/job/step/memory.current": "1\n",
      "sys/fs/cgroup/job/memory.max": "4000000\n", "sys/fs/cgroup/job/memory.current": "3000000\n",
      "sys/fs/cgroup/job/memory.stat": "anon 2500000\ninactive_file 400000\nactive_file 100000\n"}, 1_500_000),
    ({"proc/meminfo": "MemAvailable: 5000 kB\n", "proc/self/cgroup": "5:devices:/x\n4:memory:/a\n",
      "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "2000000\n",
      "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "1999999\n"}, 1),
    ({"proc/meminfo": "MemAvailable: 5000 kB\n", "proc/self/cgroup": "4:memory:/a\n",
      "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
      "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "1999999\n"}, 5000 * 1024),
])
def test_free_memory_is_the_least_of_all_limits(tmp_path: Path, files: dict[str, str], free: float) -> None:
    assert memory.free_memory(system(tmp_path, files)) == free


def test_this_system_tells() -> None:
    there = memory.free_memory()
    assert there is not None and there > 1e6


BOX = {"holes": 16, "hexagon": 40, "zero_mode": "none"}
LAYERS = {"electron_mass": 0.5, "hole_mass": 1.0, "spacing": 1.0, "dielectric": 5.0}
PAIRS = {"rs_hole": 5.0, "electrons_per_hole": 1}


@pytest.mark.parametrize("tables", [
    {"kind": "hartree-fock", "cell": BOX},
    {"kind": "phases", "cell": BOX},
    {"kind": "device", "cell": BOX},
    {"kind": "compressibility", "cell": BOX, "compressibility": {"state": "lowest"}},
    {"kind": "condensate", "cell": BOX | {"hexagon": 200}},
    {"kind": "phases", "cell": BOX | {"hexagon": 200, "holes": 2}, "phases": {"candidates": ["condensate"]}},
    {"kind": "few-body", "few-body": {"complex": "biexciton"}},
    {"kind": "pairing", "pairing": {"alpha": 0.3, "map_rs": [1.0, 2.0], "map_spacing": [0.0, 2.0], "map_points": 900}},
    {"kind": "phonons", "phonons": {"mesh": 1000}, "crystal": {"structure": "square"}},
], ids=lambda t: str(t["kind"]))
def test_every_kind_refuses_what_does_not_fit(tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study({"bilayer": LAYERS, "density": PAIRS} | tables)
    prepare(study)
    monkeypatch.setattr(memory, "free_memory", lambda: 0.05 * GB)
    with pytest.raises(InputError, match=r"fits into 0.05 GB of free memory, but was 'one of about [0-9.]+ GB'"):
        prepare(study)


def test_a_scan_of_too_many_starts_is_refused_before_they_are_made() -> None:
    crystal = {"scan": [1.1, 12], "scan_points": 10_000, "holes_per_cell": 4, "starts": 100_000}
    with pytest.raises(InputError, match=r"crystal\.starts: must be at most 25 in a scan of 10000 values and 4 cells"):
        prepare(make_study({"kind": "crystal", "density": {"electrons_per_hole": 2}, "crystal": crystal}))


@pytest.mark.parametrize(("kind", "room"), [("hartree-fock", 0.115 * GB)])
def test_bases_that_grow_stop_where_the_memory_ends(kind: str, room: float, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = {"holes": 2, "zero_mode": "none"}
    study = make_study({"kind": kind, "bilayer": LAYERS, "density": PAIRS, "cell": cell, kind: {"tolerance": 1e-9}})
    monkeypatch.setattr(memory, "free_memory", lambda: room)
    assert runner.run(study).status is Status.not_converged
