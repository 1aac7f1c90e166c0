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
from concurrent.futures import CancelledError
from types import TracebackType
from typing import Any, Protocol

from ehbilayer import __version__
from ehbilayer.errors import InputError
from ehbilayer.hooks import silent
from ehbilayer.results.owners import temporary_directory
from ehbilayer.run.watchdog import crowding
from ehbilayer.status import Status
from ehbilayer.sweep.worker import Job, Outcome, compute_point, failure

LOOK_SECONDS = 0.2  # how often a driver looks whether to stop
ASK_SECONDS = 1.0  # how often a worker asks
GRACE_SECONDS = 5.0  # for the points in work when it is time to stop, where there is a core for everyone
CONNECT_SECONDS = 10.0
DEATHS = 1  # a point that loses more workers than this is tried once more, alone
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ANY_PORT = "127.0.0.1:0"  # of the scheduler's HTTP server, which starts without a dashboard too: two sweeps at a time
# on every worker: what asks to end, also all processes at once, is for the driver to hear, which tells them; SIGTERM
# ends them, as their nanny sends it; no HTTP server
BEGIN = """import signal
from ehbilayer.hooks import ending_signals
for number in ending_signals() - {signal.SIGTERM}:
    signal.signal(number, signal.SIG_IGN)
def dask_setup(worker):
    worker.http_server.stop()
"""
PROTECTED = ("tls://", "wss://", "inproc://")  # addresses that strangers cannot use
MOST_AT_ONCE = 1_000_000
FILES = (40, 16)  # that the driver has open: by itself, and for each worker
LOST = (OSError, CancelledError)  # what is raised where the scheduler has gone; FuturesCancelledError is one of them
Stop = Callable[[], Status | None]
Progress = Callable[[str], None]


class Engine(Protocol):
    """A context in which jobs are computed."""

    workers: int
    warn: Callable[[str], None]
    lost: Status | None  # why it computes nothing any more, if so

    def __enter__(self) -> Engine: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None: ...

    def results(self, jobs: Iterator[Job], should_stop: Stop, progress: Progress) -> Iterator[Outcome]:
        """Outcomes as they come; ends when the jobs do, or soon after ``should_stop`` says so."""
        ...


class InProcess:
    """One point after the other, here."""

    def __init__(self) -> None:
        self.workers = 1
        self.warn: Callable[[str], None] = silent
        self.lost: Status | None = None

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
        self.warn: Callable[[str], None] = silent
        self.lost: Status | None = None
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
            self._room_then, self._counted_at = self._room(), time.monotonic()
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
        """See `Engine`. Where a worker dies fewer points are computed at a time, and its point alone at the end.

        Nothing more comes, and ``lost`` says why, when the scheduler does not answer any more.
        """
        running: dict[Any, Job] = {}
        suspects: list[Job] = []  # their workers died, maybe by a neighbour: each is tried alone when the rest is done
        alone: dict[str, float] = {}  # keys of these, and the most memory that a worker had then
        most, stopping = MOST_AT_ONCE, 0.0
        while True:
            if not stopping and should_stop() is not None:
                stopping = time.monotonic() + GRACE_SECONDS * crowding()
            try:
                ended = self._step(jobs, running, suspects, alone, most, stopping)
            except LOST as error:
                self._lose(error)
                return
            if not running and not ended:
                return
            progress("")
            for job, came in ended:
                if isinstance(came, Outcome):
                    yield came
                elif came is not None and _is_killed(came) and job.key not in alone:
                    suspects.append(job)
                    most = self._slower(most, len(running) + len(ended))
                elif came is not None:
                    yield failure(job, Status.worker_died, _words(came, alone.get(job.key)))
            if stopping and time.monotonic() > stopping:
                return

    def _slower(self, most: int, were: int) -> int:
        """How many points at a time from now on, of which there ``were`` so many when a worker died."""
        fewer = max(1, min(most, were) // 2)
        if fewer < most:
            self.warn(f"a worker died, perhaps for want of memory: from now on {fewer} at a time, and what it had "
                      "alone when the others are done")
        return fewer

    def _step(self, jobs: Iterator[Job], running: dict[Any, Job], suspects: list[Job], alone: dict[str, float],
              most: int, stopping: float) -> list[tuple[Job, Outcome | Exception | None]]:
        """Hand out what there is room for, wait for a moment, and take out of ``running`` what has ended.

        Raises one of LOST where the scheduler has gone.
        """
        if self._client.status not in ("running", "connecting"):
            raise ConnectionError(self._client.status)
        if stopping:
            self._event.set()
        else:
            for job in itertools.islice(jobs, max(0, min(self._counted(), most) - len(running))):
                running[self._submit(job)] = job
            if suspects and not running:
                job = suspects.pop()
                alone[job.key] = 0.0
                running[self._submit(job)] = job
        if not running:
            return []
        finished = self._finished(list(running))
        for job in running.values():
            if job.key in alone:
                alone[job.key] = max(alone[job.key], self._memory())
        return [(running.pop(future), _fetched(future)) for future in finished]

    def _counted(self) -> int:
        """The room, counted now and then: workers of a scheduler come and go."""
        if time.monotonic() - self._counted_at > ASK_SECONDS:
            self._room_then, self._counted_at = self._room(), time.monotonic()
        return self._room_then

    def _memory(self) -> float:
        """The most bytes that one of the workers has taken, as they last said."""
        info = self._client.scheduler_info().get("workers", {})
        return max((float(w.get("metrics", {}).get("memory", 0)) for w in info.values()), default=0.0)

    def _lose(self, error: Exception) -> None:
        self.lost = Status.interrupted
        where = f"the scheduler {self._address}" if self._address else "the workers' scheduler"
        self.warn(f"{where} does not answer any more ({type(error).__name__}); what it had finished is kept: start it "
                  "again, and run this again")

    def _submit(self, job: Job) -> Any:
        name = f"{job.key}-{time.time_ns()}"
        return self._client.submit(_remote, compute_point, job, self._flag, pure=False, key=name)

    def _finished(self, running: list[Any]) -> list[Any]:
        from distributed import wait

        with contextlib.suppress(TimeoutError), self._client.as_current():
            return list(wait(running, timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED").done)
        return []


def make_engine(workers: int | None, scheduler: str | None) -> InProcess | DaskEngine:
    """The engine for these options; one worker needs no Dask.

    Raises InputError for both options at once, fewer than one worker, or Dask missing where it is needed.
    """
    if workers is not None and scheduler is not None:
        raise InputError("--scheduler", "given without --workers", scheduler, "a scheduler brings its own workers")
    require_workers(workers)
    if scheduler is None and (workers or 1) == 1:
        return InProcess()
    from importlib.util import find_spec

    if find_spec("distributed") is None or find_spec("cryptography") is None:  # the latter makes keys
        name, was = ("--scheduler", scheduler) if scheduler else ("--workers", workers)
        raise InputError(name, "left out, or --workers 1, as long as Dask is not installed", was,
                         "pip install 'ehbilayer[cluster]'")
    if scheduler is None:
        _require_files(workers or 1)
    return DaskEngine(workers or 0, scheduler)


def require_workers(workers: int | None) -> None:
    """Raises InputError for a number of workers that cannot be."""
    if workers is not None and not 1 <= workers <= 1000:
        raise InputError("--workers", "an integer from 1 to 1000", workers, "about one per core")


def _require_files(workers: int) -> None:
    """Raises InputError where the system allows too few open files for the connections to the workers."""
    try:
        import resource
    except ImportError:  # no POSIX
        return
    needed, (soft, hard) = FILES[0] + FILES[1] * workers, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed <= hard or hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    elif hard < needed:
        raise InputError("--workers", f"at most {max(1, (hard - FILES[0]) // FILES[1])} where {hard} files may be open",
                         workers, "take fewer, or raise the limit (ulimit -n)")


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


def _fetched(future: Any) -> Outcome | Exception | None:
    """What came of a job: also fetching it may fail, where the worker that has it dies meanwhile.

    Raises one of LOST where the scheduler has gone.
    """
    from distributed.comm.core import CommClosedError

    if future.status == "cancelled":
        raise CancelledError
    try:
        outcome: Outcome | None = future.result()
        return outcome
    except (CancelledError, CommClosedError):
        raise
    except Exception as error:
        return error


def _is_killed(error: Exception) -> bool:
    """Whether a job was given up because the workers that had it died."""
    return type(error).__name__ == "KilledWorker"


def _words(error: Exception, memory: float | None) -> str:
    """Why a point failed on its worker, which had at least so many bytes of memory."""
    if not _is_killed(error):
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    had = f" and with {memory / 1e9:.2g} GB of memory or more" if memory else ""
    return f"its workers died, the last one alone{had}; a smaller basis, or more memory for each worker"


def _version_here() -> str:
    from ehbilayer import __version__

    return __version__
