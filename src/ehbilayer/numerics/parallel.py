"""Independent pieces of work on several processes; the same results whatever their number.

Every piece runs with one BLAS thread, in this process too, so that the last digits do not depend on the number either.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.hooks import ending_signals, never, silent
from ehbilayer.status import Status

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

POLL = 0.2  # seconds between two looks at should_stop
AHEAD = 3  # jobs for each worker that are handed out at a time
LOST = ("a process was killed, perhaps for want of memory; what it and the others had not finished is computed in this "
        "one")
_stop: Any = None  # in a worker: a shared number that is not 0 when it is to end
_working = _ending = False  # in a worker: whether it is at work, and whether it was told to end
_LIMITED: ContextVar[bool] = ContextVar("one BLAS thread", default=False)
Stop = Callable[[], Status | None]
Work = Callable[[Any, Stop], Any]


def each(work: Work, jobs: Sequence[Any], *, workers: int = 1, should_stop: Stop | None = None,
         warn: Callable[[str], None] = silent) -> Iterator[tuple[int, Any]]:
    """Yield (number of the job, work(job, should_stop)) as they finish.

    Parameters
    ----------
    work : a function of a module (workers import it); it looks at the should_stop it is given now and then.
    jobs : what it is called with; jobs and answers travel by pickle.
    workers : processes; 1 computes here, in order.
    should_stop : when it returns a status no more jobs begin, and running ones are told to end.
    warn : told if a process was killed.
    """
    ask = should_stop or never
    if workers <= 1 or len(jobs) <= 1:
        yield from _here(work, enumerate(jobs), ask)
        return
    done: set[int] = set()
    try:
        for number, answer in _on_processes(work, jobs, min(workers, len(jobs)), ask):
            done.add(number)
            yield number, answer
    except BrokenProcessPool:  # a worker was killed: what is missing is computed here
        if ask() is None:
            warn(LOST)
        yield from _here(work, ((i, job) for i, job in enumerate(jobs) if i not in done), ask)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS on one thread: on batches of small matrices more of them only get in each other's way.

    Within another one it does nothing, as looking for the libraries takes milliseconds.
    """
    from threadpoolctl import threadpool_limits

    if _LIMITED.get():
        yield
        return
    token = _LIMITED.set(True)
    try:
        with threadpool_limits(1):
            yield
    finally:
        _LIMITED.reset(token)


def _here(work: Work, jobs: Iterable[tuple[int, Any]], should_stop: Stop) -> Iterator[tuple[int, Any]]:
    from threadpoolctl import threadpool_limits

    for number, job in jobs:
        if should_stop() is not None:
            return
        with threadpool_limits(1):
            answer = work(job, should_stop)
        yield number, answer


def _on_processes(work: Work, jobs: Sequence[Any], workers: int, should_stop: Stop) -> Iterator[tuple[int, Any]]:
    from multiprocessing import active_children, get_context

    context = get_context("spawn")  # forked processes inherit locks of threads that they do not have
    rules = np.geterr()  # a worker treats overflow as it is treated here
    stop = context.RawValue("b", 0)  # no lock, with which a worker could be killed
    others = set(active_children())
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(stop,)) as pool:
        rest = enumerate(jobs)
        with _unguarded_main(), _signals_held():
            first = islice(rest, AHEAD * workers)
            waiting: dict[Future[Any], int] = {pool.submit(_call, work, job, rules): i for i, job in first}
        started = set(active_children()) - others
        try:
            with _killed_in_a_hurry(started):
                while waiting:
                    finished, _ = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
                    for future in finished:
                        number = waiting.pop(future)
                        if not future.cancelled():
                            yield number, future.result()
                    if not stop.value and should_stop() is not None:
                        stop.value = 1
                        waiting = {f: i for f, i in waiting.items() if not f.cancel()}
                    if not stop.value:
                        more = islice(rest, AHEAD * workers - len(waiting))
                        waiting |= {pool.submit(_call, work, job, rules): i for i, job in more}
        finally:
            stop.value = 1
            with _killed_in_a_hurry(started):
                pool.shutdown(cancel_futures=True)  # waits for those at work, which keep their state before they end


@contextmanager
def _killed_in_a_hurry(workers: Iterable[BaseProcess]) -> Iterator[None]:
    """Processes that do not outlive a KeyboardInterrupt in here."""
    try:
        yield
    except KeyboardInterrupt:
        for worker in workers:
            worker.kill()
        raise


@contextmanager
def _unguarded_main() -> Iterator[None]:
    """Workers need none of the caller's script; without this each would run a script without a __main__ guard again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _signals_held() -> Iterator[None]:
    """Signals wait, also in processes that start meanwhile, until those know what to do with them."""
    if not hasattr(signal, "pthread_sigmask"):  # no POSIX
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(stop: Any) -> None:
    """In a worker: one BLAS thread, Ctrl-C is left to the process that waits, and none outlives that.

    What batch systems send to all processes, such as SIGTERM, ends a worker as its parent would, with its state kept.
    """
    from threadpoolctl import threadpool_limits

    global _stop
    _stop = stop
    for number in ending_signals():
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else _on_signal)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ending_signals())
    threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _on_signal(number: int, frame: FrameType | None) -> None:
    global _ending
    _ending = True
    if not _working:
        os._exit(1)


def _call(work: Work, job: Any, rules: Any) -> Any:
    global _working
    _working = True
    try:
        with np.errstate(**rules):
            return work(job, _told)
    finally:
        _working = False
        if _ending:  # the pool breaks, and what is missing is computed where it was begun, or not at all
            os._exit(1)


def _told() -> Status | None:
    return Status.interrupted if _ending or _stop.value else None
