"""Tables with one interaction a row: CSV, TSV or Parquet, plain or compressed.

Settings: ``columns`` {user, item, rating, time, behavior}: names or positions (from 0), the
first two required; ``format`` {type: csv | parquet, separator, header, quote, encoding, member,
time: seconds | milliseconds | iso}; ``filter`` {rating_at_least, behaviors: [...], time_from,
time_before} (ISO 8601).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hashgnn.config.data_sets import parse_moment
from hashgnn.data.archive import describe_data
from hashgnn.data.ids import Batch
from hashgnn.data.tabular.columns import Locate, ids, numbers, seconds, texts
from hashgnn.data.tabular.delimited import read_delimited
from hashgnn.data.tabular.parquet import read_parquet
from hashgnn.errors import InputError

_NEEDS = {  # the column that a filter looks at
    "rating_at_least": "rating",
    "behaviors": "behavior",
    "time_from": "time",
    "time_before": "time",
}


def read(paths: Sequence[Path], settings: Mapping[str, Any]) -> Iterator[Batch]:
    """Yield the interactions of each file in turn; ``InputError`` names file and line."""
    columns, layout = settings["columns"], settings.get("format", {})
    keep = settings.get("filter", {})
    _check_filter(columns, keep)
    for source, path in enumerate(paths):
        reader = read_parquet if _is_parquet(path, layout) else read_delimited
        for cells, locate in reader(path, columns, layout):
            yield _batch(cells, layout.get("time", "seconds"), keep, source, locate)


def _check_filter(columns: Mapping[str, Any], keep: Mapping[str, Any]) -> None:
    for key, role in _NEEDS.items():
        if keep.get(key) is not None and role not in columns:
            raise InputError(f"filter.{key} needs to know the column: set columns.{role}")


def _is_parquet(path: Path, layout: Mapping[str, Any]) -> bool:
    found = describe_data(path, layout.get("member"))
    told = found.parquet or found.name.lower().endswith((".parquet", ".pq"))
    return layout.get("type", "parquet" if told else "csv") == "parquet"


def _batch(
    cells: Mapping[str, pa.Array], unit: str, keep: Mapping[str, Any], source: int, locate: Locate
) -> Batch:
    user, item = (ids(cells[role], role, locate) for role in ("user", "item"))
    time = seconds(cells["time"], unit, locate) if "time" in cells else None
    rows = len(user)
    kept = _kept(cells, time, keep, locate)
    if kept is not None:
        user, item = user.filter(pa.array(kept)), item.filter(pa.array(kept))
        time = None if time is None else time[kept]
    return Batch(user, item, time, source, rows)


def _kept(
    cells: Mapping[str, pa.Array], time: np.ndarray | None, keep: Mapping[str, Any], locate: Locate
) -> np.ndarray | None:
    """Which rows the filters keep, bool [rows]; None if there are no such filters."""
    masks = []
    if "rating" in cells:
        # Read even without a threshold: a rating that is no number means a wrong column.
        masks.append(numbers(cells["rating"], "rating", locate) >= _threshold(keep))
    if keep.get("behaviors") is not None:
        wanted = pa.array([str(behavior) for behavior in keep["behaviors"]], pa.string())
        found = pc.is_in(texts(cells["behavior"], "behavior", locate), value_set=wanted)
        masks.append(found.to_numpy(zero_copy_only=False))
    for key, holds in (("time_from", np.greater_equal), ("time_before", np.less)):
        if time is not None and keep.get(key) is not None:
            masks.append(holds(time, parse_moment(keep[key], f"filter.{key}")))
    return np.logical_and.reduce(masks) if masks else None


def _threshold(keep: Mapping[str, Any]) -> float:
    threshold = keep.get("rating_at_least")
    return -np.inf if threshold is None else threshold
