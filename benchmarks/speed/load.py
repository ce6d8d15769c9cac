"""Load on a server: clients that ask again as soon as they are answered, in a process of its own.

    python benchmarks/speed/load.py JOB.json

The job has `port`, `path`, `bodies` (JSON texts), `clients`, `seconds` and `pid` of the server. It
prints one JSON object: the seconds of each request, errors, and the server's memory over time. It
needs nothing but Python, and little of the processor: HTTP is written and read by hand.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

PAGE = 4096  # bytes


async def client(job: dict[str, Any], place: int, end: float, found: dict[str, list[Any]]) -> None:
    """Asks until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", job["port"])
    bodies = [body.encode() for body in job["bodies"]]
    head = f"POST {job['path']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    while (start := time.perf_counter()) < end:
        body = bodies[place % len(bodies)]
        place += job["clients"]
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        length = next(int(x.split(b":")[1]) for x in lines if x.lower().startswith(b"content-len"))
        answer = await reader.readexactly(length)
        if b" 200 " not in lines[0]:
            found["errors"].append(answer.decode("utf-8", "replace")[:200])
        found["seconds"].append(time.perf_counter() - start)
    writer.close()


async def memory(job: dict[str, Any], end: float, found: dict[str, list[Any]]) -> None:
    """Notes the server's memory each second."""
    while time.perf_counter() < end:
        found["memory"].append(resident(job["pid"]))
        await asyncio.sleep(1)


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children have in use."""
    total = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return total + sum(resident(int(child)) for child in children)


async def run(job: dict[str, Any]) -> dict[str, Any]:
    """All clients at once."""
    found: dict[str, list[Any]] = {"seconds": [], "errors": [], "memory": []}
    start = time.perf_counter()
    end = start + job["seconds"]
    await asyncio.gather(
        memory(job, end, found), *(client(job, n, end, found) for n in range(job["clients"]))
    )
    return {**found, "elapsed": time.perf_counter() - start}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))))
