import os

# one thread per test process: the threads of BLAS, which wait by spinning, slow down a machine that is busy by ten
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture(autouse=True)
def strict_numpy():
    """Overflow, division by zero and invalid operations are errors unless the code says otherwise."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield
