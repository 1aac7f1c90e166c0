"""Nobody else runs code on local workers: no other user of the machine, and no program without the keys of the run."""

import contextlib
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ehbilayer
import fake_points
from ehbilayer.studies.file import make_study
from ehbilayer.sweep import engines

distributed = pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")
pytest.importorskip("cryptography")
HERE = Path(__file__).parent
NOBODY = "65534"
USERS = ["-", pytest.param(NOBODY, marks=pytest.mark.skipif(
    os.name != "posix" or os.getuid() != 0, reason="only root can become another user"))]


def listening() -> list[int]:
    """The ports that this process and those below it listen on."""
    me, ports = psutil.Process(), []
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            ports += [c.laddr.port for c in process.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
    return sorted(ports)


def answering(ports: list[int], user: str) -> list[int]:
    """Those that answer a client of this user without keys."""
    done = subprocess.run([sys.executable, str(HERE / "knocker.py"), user, *map(str, ports)], capture_output=True,
                          text=True, timeout=500, check=True)
    return [int(word) for word in done.stdout.split()]


@pytest.fixture(scope="module")
def engine() -> Iterator[engines.DaskEngine]:
    before = set(listening())
    with engines.DaskEngine(2) as engine:
        engine.ports = sorted(set(listening()) - before)  # type: ignore[attr-defined]
        yield engine


@pytest.mark.parametrize("user", USERS)
def test_strangers_are_refused_at_every_port_of_local_workers(engine: Any, user: str) -> None:
    assert len(engine.ports) == 5, "the scheduler, two workers and the guard of each; no HTTP"
    assert answering(engine.ports, user) == []


def test_keys_stay_in_memory(engine: Any) -> None:
    for process in psutil.Process().children(recursive=True):
        assert "PRIVATE KEY" not in "".join([*process.cmdline(), *process.environ().values()])


def test_a_worker_that_takes_the_place_of_a_dead_one_is_closed_too(engine: Any) -> None:
    worker = next(p for p in psutil.Process().children(recursive=True) if p.net_connections(kind="inet"))
    worker.kill()
    deadline = time.monotonic() + 500
    while not (new := set(listening()) - set(engine.ports)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answering(sorted(new), "-") == []
    while len(set(listening()) - set(engine.ports)) != 1 and time.monotonic() < deadline:  # it closes its HTTP server
        time.sleep(0.1)
    assert time.monotonic() < deadline


@pytest.mark.parametrize("user", USERS)
def test_strangers_do_get_into_an_open_scheduler(user: str) -> None:
    """So the tests above would notice."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=None,
                      scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}) as cluster:
        ports = [cluster.scheduler.port, cluster.scheduler.http_server.port]
        assert answering(ports, user) == sorted(ports)


def study() -> ehbilayer.studies.file.Study:
    return make_study(tomllib.loads(fake_points.study_text('"density.rs_hole" = [4, 6]')))


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_points.install(monkeypatch)
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setattr(engines, "compute_point", fake_points.compute)


def test_an_unprotected_scheduler_is_a_warning(tmp_path: Path, fakes: None) -> None:
    from distributed import LocalCluster

    listener = fake_points.Listener()
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1",
                      dashboard_address=None, scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}) as cluster:
        address = cluster.scheduler_address
        assert ehbilayer.run(study(), scheduler=address, reporter=listener).summary["done"] == 2
    assert [w for w in listener.warnings if "not protected" in w and address in w]


def test_a_scheduler_with_certificates(tmp_path: Path, fakes: None) -> None:
    import dask
    from distributed import LocalCluster, Security

    keys, listener = Security.temporary(), fake_points.Listener()
    for name, text in {"ca": keys.tls_ca_file, "key": keys.tls_client_key, "cert": keys.tls_client_cert}.items():
        (tmp_path / name).write_text(text)
    mine = {"key": str(tmp_path / "key"), "cert": str(tmp_path / "cert")}
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tls://", host="127.0.0.1",
                      security=keys, dashboard_address=None,
                      scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}) as cluster:
        with pytest.raises(ehbilayer.InputError, match="scheduler that answers"):
            ehbilayer.run(study(), scheduler=cluster.scheduler_address)  # no certificates are configured
        with dask.config.set({"distributed.comm.tls.ca-file": str(tmp_path / "ca"),
                              "distributed.comm.tls.client": mine}):
            result = ehbilayer.run(study(), scheduler=cluster.scheduler_address, reporter=listener)
    assert result.summary["done"] == 2 and listener.warnings == []
