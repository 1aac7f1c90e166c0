"""Files of formats 1 and 2, which HDF5 reads, in a process of its own: whatever is in them, reading ends.

A damaged or hostile file with a correct checksum can keep HDF5 busy for ever, deaf to Ctrl-C. So another process, which
serves as long as this one lives, reads such files and passes on what they hold. It may use a few
seconds of processor time and a few gigabytes for each; the kernel ends it when it needs more (where POSIX limits
exist), and what it was given is called damaged.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ehbilayer.results.files import ResultFileError, one_line
from ehbilayer.results.flat import flat

HEADER = struct.Struct("<BQQ")  # whether arrays are wanted or the format, where the texts begin, length in bytes
SECONDS, BYTES_PER_SECOND = 1, 2_000_000  # processor time: at least, and more for larger files
MEMORY, MEMORY_PER_BYTE = 4_000_000_000, 20  # of addresses
TEXTS = ("kind", "status", "summary", "inputs")
FAULTS = {"SIGXCPU": "keeps HDF5 busy for ever", "SIGSEGV": "makes HDF5 crash", "SIGABRT": "makes HDF5 crash",
          "SIGBUS": "makes HDF5 crash", "SIGFPE": "makes HDF5 crash"}
_lock = threading.Lock()
_reader: tuple[int, subprocess.Popen[bytes]] | None = None  # the process, and which one started it


def converted(path: str | Path, raw: bytes, *, arrays: bool) -> tuple[int, bytes, int, int]:
    """What a file with the bytes ``raw`` holds: its format (1 or 2), arrays and texts (`flat.flat`), place and length
    of the texts.

    Raises
    ------
    ResultFileError : it is of neither format or damaged; or its reader was killed from outside.
    """
    with _lock:
        process = _started()
        try:
            version, place, answer = _ask(process, raw, arrays)
        except (BrokenPipeError, EOFError):
            code = process.wait()
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            end()
            problem = FAULTS.get(name, f"could not be read, as the process that did was ended ({name})")
            raise ResultFileError(path, problem, "restore it or compute it again", damaged=name in FAULTS) from None
        except BaseException:
            end()  # it may be amid an answer
            raise
    if version == 0:
        raise ResultFileError(path, answer.decode(), "restore it or compute it again", damaged=True)
    return version, answer, place, len(answer) - place


def _started() -> subprocess.Popen[bytes]:
    """The process that reads. It is no child of multiprocessing, whose workers may have none."""
    global _reader
    if _reader is None or _reader[0] != os.getpid() or _reader[1].poll() is not None:
        code = f"import sys; sys.path[:] = {json.dumps(sys.path)}; from {__name__} import serve; serve()"
        # a session of its own: Ctrl-C is for this process
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, start_new_session=True,
                                   env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
        _reader = os.getpid(), process
    return _reader[1]


def _ask(process: subprocess.Popen[bytes], raw: bytes, arrays: bool) -> tuple[int, int, bytes]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(HEADER.pack(arrays, 0, len(raw)))
    process.stdin.write(raw)
    process.stdin.flush()
    version, place, length = HEADER.unpack(_exactly(process.stdout, HEADER.size))
    return version, place, _exactly(process.stdout, length)


def _exactly(stream: Any, length: int) -> bytes:
    found: bytes = stream.read(length)
    if len(found) < length:
        raise EOFError
    return found


@atexit.register
def end() -> None:
    """End the reader; the next old file starts another."""
    global _reader
    if _reader is not None and _reader[0] == os.getpid():
        process = _reader[1]
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what it has not read is of no use
                    pipe.close()
        process.wait()
    _reader = None


def serve() -> None:
    """In the reader: answer until nobody asks any more."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while header := source.read(HEADER.size):
        arrays, _, length = HEADER.unpack(header)
        version, answer, place = _convert(_exactly(source, length), arrays=bool(arrays))
        target.write(HEADER.pack(version, place, len(answer)) + answer)
        target.flush()


def _convert(raw: bytes, *, arrays: bool) -> tuple[int, bytes, int]:
    """Format, arrays and texts, and where the texts begin; 0 and a reason for what is no such file."""
    import h5netcdf  # noqa: F401  # before the limits, which are not for imports
    import h5py

    from ehbilayer.results import netcdf_1, netcdf_2

    _limit(len(raw))
    try:
        with h5py.File(h5py.h5f.open_file_image(raw)) as file:
            kept = file.attrs.get_id("format_version")
            version = int(file.attrs["format_version"].ravel()[0]) if kept.dtype.kind in "iu" else 0
        if version == 1:
            attributes, found = netcdf_1.read(raw) if arrays else (netcdf_1.attributes(raw), {})
        elif version == 2:
            attributes, found = netcdf_2.read(raw, arrays=arrays)
        else:
            return 0, b"is no result file of ehbilayer", 0
        return version, *flat({name: attributes[name] for name in TEXTS}, found)
    except Exception as error:  # whatever HDF5 makes of a stranger's bytes
        return 0, f"cannot be read ({one_line(error)})".encode(), 0


def _limit(length: int) -> None:
    """Let this process end if the next file takes longer, or more memory, than one of that length can."""
    try:
        import resource
    except ImportError:  # no POSIX
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + SECONDS + length // BYTES_PER_SECOND
    for kind, soft in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, MEMORY + MEMORY_PER_BYTE * length),
                       (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
