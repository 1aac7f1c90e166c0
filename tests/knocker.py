"""Another user of the machine, who tries ports: `python knocker.py USER PORT ...` prints the ports that answer.

USER is the number of a user to become, or - to stay oneself. A port answers if it tells a client of Dask what it is,
plain or with TLS and keys of the client's own, or if it answers a browser.
"""

import asyncio
import os
import sys
from typing import Any

from distributed import Security
from distributed.comm.core import connect

SECONDS = 2.0


async def answers(address: str, keys: dict[str, Any]) -> bool:
    """Whether a client of Dask gets an answer."""
    async def ask() -> bool:
        comm = await connect(address, timeout=SECONDS, **keys)
        await comm.write({"op": "identity", "reply": True})
        told: Any = await comm.read()
        comm.abort()
        return "id" in told

    try:
        return await asyncio.wait_for(ask(), 2 * SECONDS)
    except Exception:  # closed, silent, or something else speaks there
        return False


async def browses(port: int) -> bool:
    """Whether a browser gets an answer."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        told = await asyncio.wait_for(reader.read(5), SECONDS)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return told == b"HTTP/"


async def knock(ports: list[int]) -> list[int]:
    """The ports that answer."""
    keys = Security.temporary().get_connection_args("client")
    found = await asyncio.gather(*(answers(f"tcp://127.0.0.1:{p}", {}) for p in ports),
                                 *(answers(f"tls://127.0.0.1:{p}", keys) for p in ports), *map(browses, ports))
    return sorted({p for p, open_one in zip(3 * ports, found, strict=True) if open_one})


if __name__ == "__main__":
    if sys.argv[1] != "-":
        asyncio.run(knock([1]))  # all modules, as long as they may be read
        os.setgroups([])
        os.setgid(int(sys.argv[1]))
        os.setuid(int(sys.argv[1]))
        assert os.getuid() == int(sys.argv[1])
    print(*asyncio.run(knock([int(port) for port in sys.argv[2:]])))
