"""Load on ``hashgnn serve`` beside a FAISS service of the same kind: ``make bench-serve``.

A model of random codes and vectors is saved. Each service runs as a process of its own with one
thread per search, and wrk (Debian's package) sends requests for the ten best items of random users,
over some connections at a time. wrk itself takes a part of the second processor. Writes
http_load.json and http_load.provenance.json; ``--into docs/serving.md`` puts the table between the
page's two marks instead of measuring.
"""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import pandas as pd

from benchmarks.pages import fill
from benchmarks.random_model import write
from hashgnn.files import atomic_write, load_array
from hashgnn.reporting.tables import to_markdown
from hashgnn.stage.record import Recorder

_BEGIN, _END = "<!-- figures: make bench-serve -->\n", "<!-- end of figures: bench-serve -->"
_HASHGNN = "from hashgnn.cli.main import main; main(prog_name='hashgnn')"
_SEARCHES = ("hamming", "hierarchical", "continuous")
_FAISS = "FAISS IndexFlatIP"
# Requests of random users, and the result as one line of JSON. Times of wrk are microseconds.
_SCRIPT = """
local users, search = {users}, "{search}"
function request()
  local user = string.format("u%07d", math.random(0, users - 1))
  return wrk.format("GET", "/recommend?n=10&search=" .. search .. "&user=" .. user)
end
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\\n{{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
"""


def main(argv: Sequence[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    path = args.output / "http_load.json"
    if args.into:
        _put(json.loads(path.read_text()), args.into)
        return
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        folder = Path(scratch)
        write(folder / "model", (args.users, args.items, 20 * args.users), args.bits)
        index = faiss.IndexFlatIP(args.bits)
        index.add(load_array(folder / "model/item_vectors.npy"))
        faiss.write_index(index, str(folder / "floats.faiss"))
        rows = [row for name in (*_SEARCHES, _FAISS) for row in _measure(name, folder, args)]
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n")
    recorder.write(args.output / "http_load.provenance.json", {}, [path])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--bits", type=int, default=64, help="and dimensions of the vectors")
    parser.add_argument("--connections", type=int, nargs="+", default=(1, 16))
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--scratch", type=Path, help="folder for the model; default: temporary")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"))
    parser.add_argument("--into", type=Path, help="page to put the table into")
    return parser


def _measure(name: str, folder: Path, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Start a service, warm it up, and yield its latencies and throughput."""
    search = name if name in _SEARCHES else "continuous"
    script = folder / "requests.lua"
    script.write_text(_SCRIPT.format(users=args.users, search=search))
    with _service(name, folder) as port:
        _load(port, script, connections=4, seconds=2)
        for connections in args.connections:
            got = _load(port, script, connections, args.seconds)
            row = {
                "service": "hashgnn serve" if name in _SEARCHES else _FAISS,
                "search": search,
                "items": args.items,
                "connections": connections,
                "p50_ms": got["p50"] / 1000,
                "p99_ms": got["p99"] / 1000,
                "requests_a_second": round(1e6 * got["requests"] / got["microseconds"], 1),
                "failed": got["failed"],
                "load_average": round(os.getloadavg()[0], 1),
            }
            print(json.dumps(row), flush=True)
            yield row


@contextlib.contextmanager
def _service(name: str, folder: Path) -> Iterator[int]:
    """Yield the port of a running service."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if name in _SEARCHES:
        command = ["-c", _HASHGNN, "serve", str(folder / "model"), "--port", str(port)]
    else:
        command = ["-m", "benchmarks.faiss_service", str(folder), str(port)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, *command], env=environment)
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise SystemExit(f"the service {name} ended")
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False


def _load(port: int, script: Path, connections: int, seconds: int) -> dict[str, int]:
    """Run wrk with one thread; return what its script prints."""
    options = ("-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script))
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    command = [wrk, *options, f"http://127.0.0.1:{port}"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, int] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _put(rows: list[dict[str, Any]], page: Path) -> None:
    lines = [
        {
            "service": row["service"],
            "search": row["search"],
            "connections": str(row["connections"]),
            "median, ms": f"{row['p50_ms']:.3g}",
            "99 %, ms": f"{row['p99_ms']:.3g}",
            "requests a second": f"{row['requests_a_second']:,.0f}",
            "failed": str(row["failed"]),
        }
        for row in rows
    ]
    fill(page, _BEGIN, f"\n{to_markdown(pd.DataFrame(lines))}\n", _END)


if __name__ == "__main__":
    main()
