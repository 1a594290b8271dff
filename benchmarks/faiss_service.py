"""A service of FAISS's IndexFlatIP, written as ``hashgnn serve`` is, to compare with.

``python -m benchmarks.faiss_service FOLDER PORT``: FOLDER has floats.faiss, and the model whose
users and items it answers with. It excludes no items.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import faiss
import numpy as np
import uvicorn
from fastapi import FastAPI, Query

from hashgnn.data.interactions import load_ids
from hashgnn.files import load_array


def create_app(folder: Path) -> FastAPI:
    faiss.omp_set_num_threads(1)
    index = faiss.read_index(str(folder / "floats.faiss"), faiss.IO_FLAG_MMAP_IFC)
    vectors = load_array(folder / "model/user_vectors.npy", memory_map=True)
    users = {user: row for row, user in enumerate(load_ids(folder / "model/users.csv").to_pylist())}
    items = np.array(load_ids(folder / "model/items.csv").to_pylist(), dtype=object)
    app = FastAPI()

    @app.get("/recommend")
    def recommend(user: Annotated[list[str], Query()], n: int = 10, search: str = "") -> Any:
        scores, rows = index.search(vectors[[users[one] for one in user]], n)
        lists = zip(user, items[rows].tolist(), scores.tolist(), strict=True)
        return {"users": [{"user": u, "items": i, "scores": s} for u, i, s in lists]}

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(Path(sys.argv[1])), port=int(sys.argv[2]), access_log=False, log_level="warning"
    )
