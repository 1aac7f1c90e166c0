"""Where the points of a sweep are computed: in this process, on local workers, or on those of any Dask scheduler.

An engine takes jobs one by one as it has room for them and hands back outcomes as they come; it writes no files.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Protocol

from ehbilayer import __version__
from ehbilayer.errors import InputError
from ehbilayer.results.owners import temporary_directory
from ehbilayer.status import Status
from ehbilayer.sweep.worker import Job, Outcome, compute_point, failure

LOOK_SECONDS = 0.2  # how often a driver looks whether to stop
ASK_SECONDS = 1.0  # how often a worker asks
GRACE_SECONDS = 60.0  # for the points in work when it is time to stop
CONNECT_SECONDS = 10.0
DEATHS = 1  # a point that loses more workers than this is tried once more, alone
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ANY_PORT = "127.0.0.1:0"  # of the scheduler's HTTP server, which starts without a dashboard too: two sweeps at a time
# on every worker: Ctrl-C is for the driver, also where a worker replaces a dead one; no HTTP server
BEGIN = """import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
def dask_setup(worker):
    worker.http_server.stop()
"""
PROTECTED = ("tls://", "wss://", "inproc://")  # addresses that strangers cannot use
Stop = Callable[[], Status | None]
Progress = Callable[[str], None]


class Engine(Protocol):
    """A context in which jobs are computed."""

    workers: int

    def __enter__(self) -> Engine: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None: ...

    def results(self, jobs: Iterator[Job], should_stop: Stop, progress: Progress) -> Iterator[Outcome]:
        """Outcomes as they come; ends when the jobs do, or soon after ``should_stop`` says so."""
        ...


class InProcess:
    """One point after the other, here."""

    workers = 1

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        pass

    def results(self, jobs: Iterator[Job], should_stop: Stop, progress: Progress) -> Iterator[Outcome]:
        for job in jobs:
            outcome = compute_point(job, should_stop, progress)
            if outcome is None:
                return
            yield outcome


class DaskEngine:
    """Workers of Dask: ``workers`` processes on this machine, or those of the scheduler at an address.

    Raises InputError when entered if the scheduler does not answer, or if its workers lack this version of ehbilayer.
    """

    def __init__(self, workers: int, address: str | None = None) -> None:
        self.workers, self._address = workers, address
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> DaskEngine:
        from distributed import Client, Event

        with contextlib.ExitStack() as stack:
            if self._address is None:
                address: Any = stack.enter_context(_local_cluster(self.workers, stack))
            else:
                address = self._address
            try:
                if self._address is not None:
                    _reach(self._address)
                self._client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS, set_as_default=False))
            except (OSError, ValueError, TypeError, TimeoutError) as error:  # TypeError: tls:// without certificates
                raise InputError("--scheduler", "the address of a Dask scheduler that answers", self._address,
                                 f"{type(error).__name__}; e.g. tcp://host:8786") from None
            self._check_workers()
            self._flag = f"ehbilayer-stop-{os.getpid()}-{time.time_ns()}"
            self._event = Event(self._flag, client=self._client)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stack.close()

    def _check_workers(self) -> None:
        """Workers of another installation would fail point by point."""
        try:
            found = set(self._client.run(_version_here).values())
        except ImportError:
            found = {"no ehbilayer"}
        if found - {__version__}:
            raise InputError("--scheduler", f"a scheduler whose workers have ehbilayer {__version__}",
                             ", ".join(sorted(found)), "install the same version there")

    def _room(self) -> int:
        """As many jobs at a time as there are threads, so that a worker that dies takes one point with it."""
        if self._address is not None:
            self.workers = sum(self._client.nthreads().values())
        return max(1, self.workers)

    def results(self, jobs: Iterator[Job], should_stop: Stop, progress: Progress) -> Iterator[Outcome]:
        running: dict[Any, Job] = {}
        suspects: list[Job] = []  # their workers died, maybe by a neighbour: each is tried alone when the rest is done
        alone: set[str] = set()
        room, counted, stopping = self._room(), time.monotonic(), 0.0
        while True:
            if not stopping and should_stop() is not None:
                stopping = time.monotonic() + GRACE_SECONDS
                self._event.set()
            if time.monotonic() - counted > ASK_SECONDS:
                room, counted = self._room(), time.monotonic()
            if not stopping:
                for job in itertools.islice(jobs, max(0, room - len(running))):
                    running[self._submit(job)] = job
                if suspects and not running:
                    job = suspects.pop()
                    alone.add(job.key)
                    running[self._submit(job)] = job
            if not running or (stopping and time.monotonic() > stopping):
                return
            progress("")
            for future in self._finished(list(running)):
                job = running.pop(future)
                if job.key not in alone and _killed(future):
                    suspects.append(job)
                elif (outcome := _outcome(future, job)) is not None:
                    yield outcome

    def _submit(self, job: Job) -> Any:
        name = f"{job.key}-{time.time_ns()}"
        return self._client.submit(_remote, compute_point, job, self._flag, pure=False, key=name)

    def _finished(self, running: list[Any]) -> list[Any]:
        from distributed import wait

        if self._client.status not in ("running", "connecting"):
            raise InputError("--scheduler", "a Dask scheduler that answers", "gone", "start it again and --resume")
        with contextlib.suppress(TimeoutError), self._client.as_current():
            return list(wait(running, timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED").done)
        return []


def make_engine(workers: int | None, scheduler: str | None) -> InProcess | DaskEngine:
    """The engine for these options; one worker needs no Dask.

    Raises InputError for both options at once, fewer than one worker, or Dask missing where it is needed.
    """
    if workers is not None and scheduler is not None:
        raise InputError("--scheduler", "given without --workers", scheduler, "a scheduler brings its own workers")
    if workers is not None and not 1 <= workers <= 1000:
        raise InputError("--workers", "an integer from 1 to 1000", workers, "about one per core")
    if scheduler is None and (workers or 1) == 1:
        return InProcess()
    from importlib.util import find_spec

    if find_spec("distributed") is None or find_spec("cryptography") is None:  # the latter makes keys
        name, was = ("--scheduler", scheduler) if scheduler else ("--workers", workers)
        raise InputError(name, "left out, or --workers 1, as long as Dask is not installed", was,
                         "pip install 'ehbilayer[cluster]'")
    return DaskEngine(workers or 0, scheduler)


def exposure(address: str | None) -> str:
    """What is to be said of a scheduler that anyone who reaches it can command; empty for one that is protected."""
    if address is None or address.startswith(PROTECTED):
        return ""
    return (f"{address} is not protected: whoever can reach it, every user of a shared machine, can run code as you; "
            "see the page on sweeps for a scheduler with certificates (tls://)")


def _reach(address: str) -> None:
    """Raises ValueError or OSError if nothing answers there: a Client that fails to begin complains again at exit."""
    import asyncio

    from distributed import Security
    from distributed.comm.core import connect

    async def knock() -> None:
        keys = Security().get_connection_args("client")  # those of the configuration of Dask
        await (await connect(address, timeout=CONNECT_SECONDS, **keys)).close()

    asyncio.run(knock())


def _local_cluster(workers: int, stack: contextlib.ExitStack) -> Any:
    """Processes on this machine: spawned, one thread each, no HTTP.

    Other users of the machine reach its ports, so all of them speak TLS, with keys of this run that are kept in memory.
    """
    import dask
    from distributed import LocalCluster, Security

    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": DEATHS,
                                         "distributed.worker.multiprocessing-method": "spawn",
                                         "distributed.scheduler.http.routes": [],
                                         "distributed.worker.http.routes": []}))
    scratch = stack.enter_context(temporary_directory())
    with _ignore_interrupts():  # a Ctrl-C at the terminal reaches all processes; only the driver shall hear it
        cluster: Any = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
                                    dashboard_address=None, scheduler_kwargs={"dashboard_address": ANY_PORT},
                                    silence_logs=logging.CRITICAL, local_directory=str(scratch), protocol="tls://",
                                    security=Security.temporary(), env=dict.fromkeys(THREADS, "1"), preload=[BEGIN])

    async def close_http() -> None:  # which starts even without routes
        cluster.scheduler.http_server.stop()

    cluster.sync(close_http)
    return cluster


@contextlib.contextmanager
def _ignore_interrupts() -> Iterator[None]:
    """Ignore SIGINT here and, by inheritance, for good in processes that start meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _remote(compute: Callable[..., Outcome | None], job: Job, flag: str) -> Outcome | None:
    """On a worker: compute a point, asking the driver now and then whether to stop."""
    from distributed import Event

    looked, asked = time.monotonic(), False

    def should_stop() -> Status | None:
        nonlocal looked, asked
        if not asked and time.monotonic() - looked > ASK_SECONDS:
            looked, asked = time.monotonic(), Event(flag).is_set()
        return Status.interrupted if asked else None

    return compute(job, should_stop)


def _outcome(future: Any, job: Job) -> Outcome | None:
    """What came of a job; a worker that died with it is its failure."""
    if future.status == "finished":
        outcome: Outcome | None = future.result()
        return outcome
    if future.status == "cancelled":
        return None  # lost with its scheduler: it counts as missing
    error = future.exception()
    words = "a worker died" if _killed(future) else f"{type(error).__name__}: {error}"
    return failure(job, Status.worker_died, " ".join(words.split())[:300])


def _killed(future: Any) -> bool:
    """Whether a job was given up because the workers that had it died."""
    return future.status == "error" and type(future.exception()).__name__ == "KilledWorker"


def _version_here() -> str:
    from ehbilayer import __version__

    return __version__
