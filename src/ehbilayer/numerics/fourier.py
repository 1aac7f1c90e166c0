"""The one FFT behind every kernel: ducc0 on NumPy arrays (SciPy where ducc0 is missing), jax.numpy under JAX.

Transforms act on the last two axes and never normalise; callers fold 1/n into their tables.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

try:
    import ducc0.fft as _ducc
except ImportError:  # pragma: no cover - the wheel exists for all common platforms
    _ducc = None

Array = Any  # numpy or jax array


class Fourier:
    """Batched 2-D transforms on an array namespace.

    Parameters
    ----------
    backend : ``"numpy"`` or ``"jax"`` (64-bit is switched on).
    threads : threads among which `share_out` divides batches on NumPy; single transforms run on one.
    """

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        self.backend, self.threads = backend, threads
        self._pool: ThreadPoolExecutor | None = None
        self.xp: Any = np
        if backend == "jax":
            import jax

            jax.config.update("jax_enable_x64", True)
            import jax.numpy as jnp

            self.xp = jnp

    # -- how work is cut up: on NumPy into pieces that stay in cache, shared among threads; on a GPU not at all

    def rows_in_cache(self, a: Array, bytes_in_cache: int = 400_000) -> int:
        """How many rows (axis 1) of ``a`` (b, P, n1, n2) to treat at once."""
        if self.backend == "jax":
            return int(a.shape[1])
        return max(1, min(a.shape[1], bytes_in_cache // max(1, a[:, 0].nbytes)))

    def add_rows(self, out: Array, start: int, value: Array) -> Array:
        """out[:, start : start + len] += value, in place where arrays allow it."""
        if self.backend == "jax":
            return out.at[:, start : start + value.shape[1]].add(value)
        out[:, start : start + value.shape[1]] += value
        return out

    def multiply(self, a: Array, b: Array, into: Array) -> Array:
        """a b, written over ``into`` (of that shape and type) where arrays allow it: no new memory in inner loops."""
        return a * b if self.backend == "jax" else np.multiply(a, b, out=into)

    def share_out(self, work: Callable[[list[Any]], Array], jobs: list[Any], size: int) -> Array:
        """The sum of work(share) over a fixed division of the jobs among the threads (the same bits every time).

        ``size`` is the number of bytes all jobs go through; little work stays on one thread.
        """
        if self.backend == "jax" or self.threads == 1 or len(jobs) < 2 or size < 30_000_000:
            return work(jobs)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="ehbilayer")
        shares = [jobs[i :: self.threads] for i in range(self.threads)]
        return sum(self._pool.map(work, shares))

    def c2c(self, a: Array, forward: bool) -> Array:
        """sum_r exp(-+ i G r) a(r), complex to complex (upper sign: forward)."""
        if self.backend == "jax":
            return self.xp.fft.fft2(a) if forward else self.xp.fft.ifft2(a, norm="forward")
        if _ducc is not None:
            return _ducc.c2c(a, axes=(-2, -1), forward=forward, nthreads=1)
        import scipy.fft

        if forward:
            return scipy.fft.fft2(a, workers=1)
        return scipy.fft.ifft2(a, norm="forward", workers=1)

    def r2c(self, a: Array) -> Array:
        """Forward transform of a real array; the last axis keeps n//2 + 1 frequencies."""
        if self.backend == "jax":
            return self.xp.fft.rfft2(a)
        if _ducc is not None:
            return _ducc.r2c(a, axes=(-2, -1), nthreads=1)
        import scipy.fft

        return scipy.fft.rfft2(a, workers=1)

    def c2r(self, a: Array, last: int) -> Array:
        """Backward transform to a real array whose last axis has length ``last``."""
        if self.backend == "jax":
            return self.xp.fft.irfft2(a, s=(a.shape[-2], last), norm="forward")
        if _ducc is not None:
            return _ducc.c2r(a, axes=(-2, -1), lastsize=last, forward=False, nthreads=1,
                             allow_overwriting_input=True)
        import scipy.fft

        return scipy.fft.irfft2(a, s=(a.shape[-2], last), norm="forward", workers=1)


def is_smooth(n: int) -> bool:
    """Whether n has only the prime factors 2, 3, 5 and 7, for which transforms are fast."""
    for p in (2, 3, 5, 7):
        while n % p == 0:
            n //= p
    return n == 1


def good_size(n: int) -> int:
    """The smallest smooth FFT length >= n that is even (or 1)."""
    while not (is_smooth(n) and (n % 2 == 0 or n == 1)):
        n += 1
    return n
