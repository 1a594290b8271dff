"""Serving from an index on disk, beside FAISS: ``python -m benchmarks.serving`` (wants 10 GB).

An index of random codes and vectors is written once, as ``hashgnn export`` writes it. Then each
search is served by a process of its own, which maps the files into memory, as a service would
(FAISS reads its own file): seconds until the first answer, milliseconds of single queries one
after another, queries a second in batches. Writes serving.json and serving.provenance.json.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads of one library stall another's

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import faiss
import numpy as np

from benchmarks.serving_measure import SERVERS, Row, compile_kernels
from hashgnn.files import atomic_write, save_array
from hashgnn.search import Index
from hashgnn.stage.record import Recorder

BLOCK = 1_000_000  # items drawn at a time


def main(argv: Sequence[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    compile_kernels(args.bits)
    rows: list[Row] = []
    for n_items in args.items:
        with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
            write(Path(scratch), n_items, args.bits)
            for row in serve_all(Path(scratch), args):
                rows.append({"items": n_items, "bits": args.bits, **row})
                print(json.dumps(rows[-1]), flush=True)
    path = args.output / "serving.json"
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n")
    recorder.write(args.output / "serving.provenance.json", {}, [path])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=(1_000_000, 10_000_000))
    parser.add_argument("--bits", type=int, default=64, help="and dimensions of the vectors")
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--threads", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--queries", type=int, default=200, help="one after another")
    parser.add_argument("--batch", type=int, default=256, help="queries that come together")
    parser.add_argument("--scratch", type=Path, help="folder for the indexes; default: temporary")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"))
    return parser


def write(folder: Path, n_items: int, bits: int) -> None:
    """Our index, FAISS's two, and queries, in ``folder``."""
    random = np.random.default_rng(bits)
    codes = random.integers(0, 256, (n_items, bits // 8), dtype=np.uint8)
    vectors = np.empty((n_items, bits), dtype=np.float32)
    for start in range(0, n_items, BLOCK):
        part = vectors[start : start + BLOCK]
        random.standard_normal(out=part, dtype=np.float32)
    Index(codes, vectors).save(folder / "index")
    binary = faiss.IndexBinaryFlat(bits)
    binary.add(codes)
    faiss.write_index_binary(binary, str(folder / "binary.faiss"))
    floats = faiss.IndexFlatIP(bits)
    floats.add(vectors)
    faiss.write_index(floats, str(folder / "floats.faiss"))
    chosen = random.integers(0, n_items, 4096)
    save_array(folder / "query_codes.npy", codes[chosen])
    save_array(folder / "query_vectors.npy", vectors[chosen])


def serve_all(folder: Path, args: argparse.Namespace) -> Iterator[Row]:
    """Each search with each number of threads, in a process of its own."""
    for threads in args.threads:
        for server in SERVERS:
            numbers = {name: getattr(args, name) for name in ("k", "queries", "batch")}
            numbers["threads"] = threads
            options = [f"--{name}={value}" for name, value in numbers.items()]
            command = [sys.executable, "-m", "benchmarks.serving_measure", server, str(folder)]
            ran = subprocess.run([*command, *options], stdout=subprocess.PIPE, text=True)
            ran.check_returncode()
            yield json.loads(ran.stdout)


if __name__ == "__main__":
    main()
