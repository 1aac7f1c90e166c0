import os

# one thread per test process: the threads of BLAS, which wait by spinning, slow down a machine that is busy by ten
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import fcntl  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from reproduced import Reproduced  # noqa: E402

MINUTES = 10  # of the whole suite on two cores, as the README says


def pytest_report_header(config: pytest.Config) -> str:
    """How long to wait, before anything runs."""
    return duration(config.getoption("numprocesses", None))


def duration(processes: int | None) -> str:
    """One line on the time that the whole suite takes."""
    alone = "" if processes else ", less than twice that in this one process"
    return f"the whole suite takes about {MINUTES} minutes on two cores (-n 2){alone}"


@pytest.fixture(autouse=True)
def strict_numpy():
    """Overflow, division by zero and invalid operations are errors unless the code says otherwise."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Reproduced:
    """The whole quick set of `ehb reproduce`, computed once for all test processes: the others wait for the first."""
    from ehbilayer import cli

    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "reproduced"
    place.mkdir(exist_ok=True)
    with open(place / ".lock", "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        code = file.read()
        if not code:
            code = str(cli.execute(["reproduce", "all", "--quick", "--workers", "2", "--quiet", "-o", str(place)]))
            file.write(code)
    return Reproduced(place, int(code))
