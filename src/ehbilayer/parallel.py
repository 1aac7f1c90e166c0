"""Independent pieces of work on several processes; the same results whatever their number.

Every piece runs with one BLAS thread, in this process too, so that the last digits do not depend on the number either.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from ehbilayer.hooks import never
from ehbilayer.results import Status

POLL = 0.2  # seconds between two looks at should_stop
_stop: Any = None  # in a worker: the event that tells it to end
Stop = Callable[[], Status | None]
Work = Callable[[Any, Stop], Any]


def each(work: Work, jobs: Sequence[Any], *, workers: int = 1, should_stop: Stop | None = None) -> Iterator[
        tuple[int, Any]]:
    """Yield (number of the job, work(job, should_stop)) as they finish.

    Parameters
    ----------
    work : a function of a module (workers import it); it looks at the should_stop it is given now and then.
    jobs : what it is called with; jobs and answers travel by pickle.
    workers : processes; 1 computes here, in order.
    should_stop : when it returns a status no more jobs begin, and running ones are told to end.
    """
    ask = should_stop or never
    if workers <= 1 or len(jobs) <= 1:
        yield from _here(work, list(enumerate(jobs)), ask)
        return
    done: set[int] = set()
    try:
        for number, answer in _on_processes(work, jobs, min(workers, len(jobs)), ask):
            done.add(number)
            yield number, answer
    except BrokenProcessPool:  # a worker was killed: what is missing is computed here
        yield from _here(work, [(i, job) for i, job in enumerate(jobs) if i not in done], ask)


def _here(work: Work, jobs: list[tuple[int, Any]], should_stop: Stop) -> Iterator[tuple[int, Any]]:
    from threadpoolctl import threadpool_limits

    for number, job in jobs:
        if should_stop() is not None:
            return
        with threadpool_limits(1):
            answer = work(job, should_stop)
        yield number, answer


def _on_processes(work: Work, jobs: Sequence[Any], workers: int, should_stop: Stop) -> Iterator[tuple[int, Any]]:
    from multiprocessing import get_context

    context = get_context("spawn")  # forked processes inherit locks of threads that they do not have
    stop = context.Event()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(stop,)) as pool:
        with _unguarded_main():
            waiting: dict[Future[Any], int] = {pool.submit(_call, work, job): i for i, job in enumerate(jobs)}
        try:
            while waiting:
                finished, _ = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
                for future in finished:
                    number = waiting.pop(future)
                    if not future.cancelled():
                        yield number, future.result()
                if not stop.is_set() and should_stop() is not None:
                    stop.set()
                    waiting = {f: i for f, i in waiting.items() if not f.cancel()}
        except KeyboardInterrupt:  # somebody is in a hurry
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)  # waits for those at work, which keep their state before they end


@contextmanager
def _unguarded_main() -> Iterator[None]:
    """Workers need none of the caller's script; without this each would run a script without a __main__ guard again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _begin(stop: Any) -> None:
    """In a worker: one BLAS thread, Ctrl-C is left to the process that waits, and none outlives that."""
    from threadpoolctl import threadpool_limits

    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(work: Work, job: Any) -> Any:
    return work(job, _told)


def _told() -> Status | None:
    return Status.interrupted if _stop.is_set() else None
