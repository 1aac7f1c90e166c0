"""What HDF5 must read is read in another process: what keeps it busy for ever, or kills it, costs this one nothing."""

import lzma
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ehbilayer
import sealed
from ehbilayer import cli
from ehbilayer.results import old_formats
from ehbilayer.results.base import Result
from ehbilayer.results.files import ResultFileError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs limits of processor time")
WHOLE = lzma.decompress((Path(__file__).parent / "data" / "format-1-condensate-torus.nc.xz").read_bytes())
WITHOUT_END = sealed.resealed(WHOLE[:7330] + b"\1" + WHOLE[7331:])  # a heap whose list of objects is a circle


@pytest.fixture(autouse=True)
def no_reader_is_left() -> None:
    old_formats.end()


def test_a_file_that_keeps_hdf5_busy_for_ever_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "result.nc").write_bytes(WITHOUT_END)
    (tmp_path / "whole.nc").write_bytes(WHOLE)
    with pytest.raises(ResultFileError, match="busy for ever") as error:
        Result.load(tmp_path / "result.nc")
    assert error.value.damaged
    assert Result.load(tmp_path / "whole.nc").kind == "condensate"  # by the next process
    assert cli.execute(["show", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_reader_that_is_killed_says_nothing_about_the_file(tmp_path: Path) -> None:
    Result.from_bytes(WHOLE)
    assert old_formats._reader is not None
    process = old_formats._reader[1]
    os.kill(process.pid, signal.SIGSTOP)
    timer = threading.Timer(0.2, process.kill)  # as the kernel does that is out of memory
    timer.start()
    with pytest.raises(ResultFileError, match="SIGKILL") as error:
        Result.from_bytes(WHOLE)
    timer.join()
    assert not error.value.damaged and Result.from_bytes(WHOLE).kind == "condensate"


def test_one_reader_serves_many_files_and_ends_with_who_asks() -> None:
    code = ("import sys; from ehbilayer.results import old_formats; from ehbilayer.results.base import Result\n"
            "raw = sys.stdin.buffer.read(); found = {Result.from_bytes(raw).kind for _ in range(20)}\n"
            "print(found, old_formats._reader[1].pid, flush=True); import os; os.kill(os.getpid(), 9)")
    path = os.pathsep.join([str(Path(ehbilayer.__file__).parents[1])])
    done = subprocess.run([sys.executable, "-c", code], input=WHOLE, capture_output=True, timeout=500,
                          env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == -signal.SIGKILL and done.stdout.startswith(b"{'condensate'}")
    # its pipes are closed and nobody is waited for: run() has come back, which reads until the last writer is gone
    with pytest.raises(ProcessLookupError):
        for _ in range(1000):
            os.kill(int(done.stdout.split()[1]), 0)
            threading.Event().wait(0.01)
