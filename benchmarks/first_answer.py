"""Time and memory until a service that starts has answered: ``python -m benchmarks.first_answer``.

A model of random codes and vectors is saved once. New processes import the package, load the model
into mapped memory and recommend to one user. Prints the medians of their seconds and of their
memory: the peak of all, of which the pages of the index (codes, order, vectors) are told apart.
``--python`` names the interpreter of an environment with nothing but the package and what it needs.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.random_model import write

# Runs where only the package itself is installed. {folder}: of the model.
_START = """
import json, time
begin = time.perf_counter(), time.process_time()
from hashgnn import HashGNN
imported = time.perf_counter()
model = HashGNN.load({folder!r}, verify={verify})
loaded = time.perf_counter()
model.recommend(["u0000001"], 10)
ended = time.perf_counter()
import sys
print(json.dumps({{
    "import": imported - begin[0], "load": loaded - imported, "answer": ended - loaded,
    "all": ended - begin[0], "processor": time.process_time() - begin[1],
    "torch": "torch" in sys.modules,
    "status": open("/proc/self/status").read(), "smaps": open("/proc/self/smaps").read(),
}}))
"""
Row = dict[str, float]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--interactions", type=int, default=2_000_000)
    parser.add_argument("--bits", type=int, default=32, help="and dimensions of the vectors")
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        write(folder, (args.users, args.items, args.interactions), args.bits)
        for verify in (False, True):
            _start(args.python, folder, verify)  # compiles, where no kernels are kept yet
            rows = [_start(args.python, folder, verify) for _ in range(args.starts)]
            medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
            print(f"verify={verify}", *(f"{name} {v:.2f}" for name, v in medians.items()), sep="; ")


def _start(python: str, folder: Path, verify: bool) -> Row:
    code = _START.format(folder=str(folder), verify=verify)
    ran = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    told = json.loads(ran.stdout)
    status, smaps = told.pop("status"), told.pop("smaps")
    peak = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
    index = _mapped(smaps, str(folder)) / 1024
    return {**told, "peak MB": peak, "of the model's files": index, "others": peak - index}


def _mapped(smaps: str, folder: str) -> int:
    """The kB of the files in ``folder`` that are in memory."""
    resident, inside = 0, False
    for line in smaps.splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = folder in line
        elif inside and line.startswith("Rss:"):
            resident += int(line.split()[1])
    return resident


if __name__ == "__main__":
    main()
