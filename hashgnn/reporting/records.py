"""Keep the results of finished trainings in one small file per data set, and restore them.

    python -m hashgnn.reporting.records pack --results results --into FOLDER
    python -m hashgnn.reporting.records unpack --from FOLDER --results results
    python -m hashgnn.reporting.records compare --results elsewhere/results --with FOLDER

A file of records is a Parquet table with a row per file of results: metrics, checks, times and
losses of each training, the values of users that paired tests take, and provenance. From restored
results Snakemake makes figures, tables and pages without data and without training, as it does not
repeat the jobs of results that exist. Codes and vectors are not kept, but for the width of the
vectors. ``compare`` looks whether trainings that were made once more have the same results, and
writes what it found beside the records.

The stage ``provenance`` lists what made every result, restored or not.
"""

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from hashgnn.errors import InputError
from hashgnn.experiment.runs import VALIDATION
from hashgnn.files import atomic_write, load_array, load_arrays
from hashgnn.reporting.tables import Printed, to_html, to_markdown, write_text
from hashgnn.reporting.tables.paper import TESTED
from hashgnn.stage.command import Facts, run_stage, stage_parser
from hashgnn.stage.record import CHECKSUM, SUFFIX, Inputs, job_digest, read_record, record_checksum

# Results of a training that are kept. It counts as finished once the first of them exists.
_KEPT = ("metrics.csv", "checks.csv", "history.csv", "timing.csv", "query_times.csv")
_USERS = "per_user.npz"
_VECTORS = "item_vectors.npy"  # of which the width is kept, by which figures count bytes

AGAIN = "again.csv"
_CODES = ("user_codes.npy", "item_codes.npy")

# What provenance says about the machine's folders and modules is of no use elsewhere.
_LOCAL = ("command", "modules", "source", "checked", CHECKSUM)

_SCHEMA = pa.schema(
    [
        ("path", pa.string()),  # relative to the folder of the data set
        ("commit", pa.string()),  # of the code that made the file
        ("processor", pa.string()),
        ("finished", pa.string()),  # UTC, ISO 8601
        ("content", pa.binary()),
    ]
)


def main(argv: Sequence[str] | None = None) -> int:
    """Pack or unpack records; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="add finished results to the records")
    packing.add_argument("--into", type=Path, required=True, metavar="FOLDER", dest="records")
    packing.add_argument("--datasets", nargs="*", help="by default all that have results")
    unpacking = commands.add_parser("unpack", help="restore results from records")
    unpacking.add_argument("--from", type=Path, required=True, metavar="FOLDER", dest="records")
    comparing = commands.add_parser("compare", help="look whether trainings gave the same again")
    comparing.add_argument("--with", type=Path, required=True, metavar="FOLDER", dest="records")
    for command in (packing, unpacking, comparing):
        command.add_argument("--results", type=Path, default=Path("results"))
    args = parser.parse_args(argv)
    try:
        if args.command == "pack":
            _pack_all(args.results, args.records, args.datasets)
        elif args.command == "compare":
            _compare_all(args.results, args.records)
        else:
            _unpack_all(args.records, args.results)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def _pack_all(results: Path, records: Path, datasets: Sequence[str] | None) -> None:
    finished = {path.parts[-5] for path in results.glob(f"*/*/bits*/seed*/{_KEPT[0]}")}
    chosen = datasets or sorted(finished)
    if not chosen:
        raise InputError(f"{results}: has no finished trainings of a data set")
    for dataset in chosen:
        file = records / f"{dataset}.parquet"
        packed = pack(results / dataset, file)
        print(f"{file}: {packed} trainings packed, {file.stat().st_size / 1e6:.1f} MB")


def _unpack_all(records: Path, results: Path) -> None:
    files = sorted(records.glob("*.parquet"))
    if not files:
        raise InputError(f"{records}: has no records (*.parquet)")
    for file in files:
        print(f"{results / file.stem}: {unpack(file, results / file.stem)} files restored")
    if (records / AGAIN).exists():
        with atomic_write(results / AGAIN) as temporary:
            shutil.copyfile(records / AGAIN, temporary)


def _compare_all(results: Path, records: Path) -> None:
    files = {file.stem: file for file in sorted(records.glob("*.parquet"))}
    found = [row for name, file in files.items() for row in compare(results / name, file)]
    if not found:
        raise InputError(f"{results}: has no training that {records} has, of the same code")
    table = pd.DataFrame(found)
    with atomic_write(records / AGAIN) as temporary:
        table.to_csv(temporary, index=False)
    same, difference = table["same_codes"].sum(), table["largest_difference"].max()
    print(f"{len(found)} trainings: {same} with the same codes; metrics within {difference:.2g}")


def pack(results: Path, file: Path) -> int:
    """Add the finished trainings in ``results``, the folder of a data set, to ``file``.

    Records of the same trainings are replaced, and others are kept, so that a data set can be made
    in parts, on several machines.

    Returns:
        The number of trainings that were added.

    Raises:
        InputError: A result differs from its provenance, or ``file`` cannot be read.
    """
    runs = sorted(path.parent for path in results.glob(f"*/bits*/seed*/{_KEPT[0]}"))
    kept = {} if not file.exists() else {row["path"]: row for row in _read(file)}
    for folder in runs:
        prefix = f"{folder.relative_to(results)}/"
        kept = {path: row for path, row in kept.items() if not path.startswith(prefix)}
    made = [*_of_dataset(results), *(row for folder in runs for row in _of_run(folder, results))]
    kept |= {row["path"]: row for row in made}
    table = pa.Table.from_pylist([kept[path] for path in sorted(kept)], _SCHEMA)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as temporary:
        parquet.write_table(table, temporary, compression="zstd", compression_level=19)
    return len(runs)


def unpack(file: Path, results: Path) -> int:
    """Restore the results that ``file`` holds into ``results``, the folder of a data set.

    All get the same modification time, so that Snakemake finds none newer than another.

    Returns:
        The number of files that were written.

    Raises:
        InputError: ``file`` cannot be read, or a file of ``results`` has other content.
    """
    rows = _read(file)
    for row in rows:
        path = results / row["path"]
        if path.exists() and path.read_bytes() != row["content"]:
            raise InputError(f"{path}: differs from the record in {file}; unpack elsewhere")
    moment = time.time_ns()
    for row in rows:
        path = results / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_bytes(row["content"])
        os.utime(path, ns=(moment, moment))
    return len(rows)


def compare(results: Path, file: Path) -> Iterator[dict[str, Any]]:
    """Compare trainings in ``results``, the folder of a data set, with their records in ``file``.

    Only those of the same code and settings are compared.

    Returns:
        For each of them: both processors and dates, whether the codes are the same bytes, and the
        largest difference of two metrics.
    """
    kept = {row["path"]: row["content"] for row in _read(file)}
    for path in sorted(results.glob(f"*/bits*/seed*/train{SUFFIX}")):
        name = path.relative_to(results).as_posix()
        metrics = path.parent / "metrics.csv"
        if name not in kept or not metrics.exists():
            continue
        old, new = json.loads(kept[name]), portable(read_record(path))
        if any(old[key] != new[key] for key in ("code", "settings")):
            continue
        values = [
            pd.read_csv(source)["value"]
            for source in (io.BytesIO(kept[f"{Path(name).parent}/metrics.csv"]), metrics)
        ]
        yield {
            "dataset": file.stem,
            "result": str(Path(name).parent),
            "processor": old["machine"]["processor"],
            "finished": old["finished"],
            "again_processor": new["machine"]["processor"],
            "again_finished": new["finished"],
            "same_codes": all(old["outputs"].get(c) == new["outputs"].get(c) for c in _CODES),
            "largest_difference": (values[0] - values[1]).abs().max(),
        }


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = parquet.read_table(file, schema=_SCHEMA).to_pylist()
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"{file}: not a file of records ({error}); delete it") from error
    for row in rows:
        parts = Path(row["path"]).parts
        if not parts or ".." in parts or Path(row["path"]).is_absolute():
            raise InputError(f"{file}: {row['path']!r} leads out of the folder of results")
    return rows


def _of_dataset(results: Path) -> Iterator[dict[str, Any]]:
    """Yield records of the provenance of data: raw files, preparation, split, negatives."""
    names = ("prepare", "split", "download/*", "triplets*/*")
    for pattern in (f"{name}{SUFFIX}" for name in names):
        for path in sorted(results.glob(pattern)):
            facts = portable(read_record(path))
            yield _row(path.relative_to(results), _signed(facts), facts)


def _of_run(folder: Path, results: Path) -> Iterator[dict[str, Any]]:
    yield from _of_part(folder, results)
    if (folder / VALIDATION / _KEPT[0]).exists():
        yield from _of_part(folder / VALIDATION, results)


def _of_part(folder: Path, results: Path) -> Iterator[dict[str, Any]]:
    """Yield records of the results of a training on the test or the validation part."""
    present = [path for name in _KEPT if (path := folder / name).exists()]
    Inputs([*present, folder / _USERS], None)  # checks them
    reduced = {_USERS: _reduced(folder / _USERS)}
    if (folder / _VECTORS).exists():
        reduced[_VECTORS] = _without_rows(folder / _VECTORS)
    facts = {path: portable(read_record(path)) for path in sorted(folder.glob(f"*{SUFFIX}"))}
    for record in facts.values():
        for name in reduced.keys() & record["outputs"].keys():
            record["outputs"][name] = f"sha256:{hashlib.sha256(reduced[name]).hexdigest()}"
    maker = {name: record for record in facts.values() for name in record["outputs"]}
    contents = {path: path.read_bytes() for path in present}
    contents |= {folder / name: content for name, content in reduced.items()}
    for path, content in contents.items():
        yield _row(path.relative_to(results), content, maker[path.name])
    for path, record in facts.items():
        yield _row(path.relative_to(results), _signed(record), record)


def _row(path: Path, content: bytes, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": path.as_posix(),
        "commit": record["git_commit"],
        "processor": record["machine"]["processor"],
        "finished": record["finished"],
        "content": content,
    }


def _reduced(path: Path) -> bytes:
    """Return ``per_user.npz`` with the measurement that paired tests take, of each search."""
    arrays = load_arrays(path)
    metric, n = TESTED
    metrics, cutoffs = arrays["metrics"].tolist(), arrays["cutoffs"].tolist()
    if metric not in metrics or n not in cutoffs:
        raise InputError(f"{path}: lacks {metric} at {n}, which paired tests take")
    chosen = arrays["values"][:, [metrics.index(metric)]][:, :, [cutoffs.index(n)]]
    target = io.BytesIO()
    np.savez(
        target,
        allow_pickle=False,
        values=chosen,
        searches=arrays["searches"],
        metrics=np.array([metric]),
        cutoffs=np.array([n]),
    )
    return target.getvalue()


def _without_rows(path: Path) -> bytes:
    """Return an array of the same width without its rows."""
    array = load_array(path, memory_map=True)
    target = io.BytesIO()
    np.save(target, np.empty((0, *array.shape[1:]), array.dtype), allow_pickle=False)
    return target.getvalue()


def portable(record: dict[str, Any]) -> dict[str, Any]:
    """Return provenance without what is of its machine; the planned code is kept as ``code``."""
    command = record.get("command", [])
    code = command[command.index("--code") + 1] if "--code" in command else record.get("code")
    kept = {key: value for key, value in record.items() if key not in _LOCAL}
    return {**kept, "code": code}


def _signed(record: dict[str, Any]) -> bytes:
    signed = {**record, CHECKSUM: record_checksum(record)}
    return (json.dumps(signed, indent=2) + "\n").encode()


# What made the results.

COLUMNS = [
    *("dataset", "result", "stage", "current", "git_commit", "processor", "threads"),
    *("finished", "seconds", "cpu_seconds", "peak_memory_mb"),
]
CAPTION = "What the results took, and how many commits of the code made them."
_NAMED = 10  # stale results that the message names


def provenance(argv: Sequence[str] | None = None) -> int:
    """List what made every result: code, settings, machine, date, time and memory.

    Fails if a result was made by other code or settings than the present ones, as results that were
    restored from records may be, unless ``checks.stale`` is ``report``.
    """
    parser = stage_parser(provenance.__doc__)
    parser.add_argument("records", type=Path, nargs="+", help="provenance of all results")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True, help="by stage")
    parser.add_argument("--html", type=Path, required=True, help="the same")
    return run_stage(parser, _list_provenance, argv)


def _list_provenance(args: argparse.Namespace) -> Facts:
    rows = describe(args.records, args.settings["planned"])
    stale = rows[~rows.current]
    if len(stale) and args.settings["stale"] == "fail":
        named = [f"{row.dataset}/{row.result} ({row.stage})" for row in stale.itertuples()]
        rest = [f"and {len(stale) - _NAMED} more"] if len(stale) > _NAMED else []
        raise InputError(
            "\n  ".join(
                [
                    f"{len(stale)} of {len(rows)} results were made by other code or settings; "
                    "delete them to make them again:",
                    *named[:_NAMED],
                    *rest,
                ]
            )
        )
    with atomic_write(args.csv) as temporary:
        rows.to_csv(temporary, index=False)
    # The data set is named by the page and the file.
    printed = Printed(by_stage(rows).drop(columns="Data set"), CAPTION)
    write_text(args.md, to_markdown(printed))
    write_text(args.html, to_html(printed, "provenance"))
    return {"results": len(rows), "stale": len(stale)}


def describe(paths: Iterable[Path], planned: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per provenance record, with the columns ``COLUMNS``.

    Args:
        paths: Records below ``results/``.
        planned: ``job_digest`` of the present code and settings, by path of the record.
    """
    rows = []
    for path in paths:
        record = portable(read_record(path))
        dataset, result, stage = _made(path)
        found = {
            "dataset": dataset,
            "result": result,
            "stage": stage,
            "current": job_digest(record["code"], record["settings"]) == planned[str(path)],
            "processor": record["machine"]["processor"],
        }
        rows.append({key: found.get(key, record.get(key)) for key in COLUMNS})
    return pd.DataFrame(rows, columns=COLUMNS)


def _made(path: Path) -> tuple[str, str, str]:
    """Return data set, result and stage of a record below ``results/``.

    A record is called as its stage; only that of sampled negatives is called as their file, in the
    folder that ``workflow/rules/data.smk`` names ``triplets`` and their number.
    """
    _, dataset, *between, name = path.parts
    name = name.removesuffix(SUFFIX)
    if between and re.fullmatch(r"triplets\d+", between[-1]):
        return dataset, "/".join([*between, name]), "triplets"
    return dataset, "/".join(between), name


def by_stage(rows: pd.DataFrame) -> pd.DataFrame:
    """Return results, processor hours, hours and largest memory of each stage and data set."""
    grouped = rows.groupby(["dataset", "stage"], sort=False)
    found = grouped.agg(
        results=("stage", "size"),
        processor_hours=("cpu_seconds", lambda seconds: f"{seconds.sum() / 3600:.2f}"),
        hours=("seconds", lambda seconds: f"{seconds.sum() / 3600:.2f}"),
        memory=("peak_memory_mb", "max"),
        commits=("git_commit", "nunique"),
    ).reset_index()
    return found.set_axis(
        [
            *("Data set", "Stage", "Results", "Processor hours", "Hours", "Peak memory (MB)"),
            "Commits",
        ],
        axis=1,
    )


if __name__ == "__main__":
    sys.exit(main())
