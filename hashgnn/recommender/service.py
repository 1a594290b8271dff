"""Answer queries of a model over HTTP: recommend, similar, health and metrics, as JSON.

Bodies and lists are bounded. A bad request gets one error, {"error": {"field": ..., "message":
...}}, and nothing that a client sends names a file.
"""

import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr
from starlette.exceptions import HTTPException as HttpError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hashgnn.errors import InputError, did_you_mean, shown
from hashgnn.recommender.folder import LiveModel, method_id
from hashgnn.recommender.queries import Ids, Ranked

Id = StrictStr | StrictInt
Several = Annotated[list[str], Query(default_factory=list)]
Items = list[Id] | dict[str, list[Id]]
_UNKNOWN = "unknown_key"  # type of the error for a key in the address
_FIELD, _MESSAGE = 100, 600  # characters of an error, which repeats what a client sent
_EVERY = 2.0  # seconds between two looks for a new model
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Limits(NamedTuple):
    """The largest requests that are answered."""

    body: int = 1 << 20  # bytes
    users: int = 256  # or items whose neighbors are asked for
    n: int = 1000  # length of a list
    candidates: int = 10_000  # of hierarchical search


class _Asked(BaseModel):
    """What all queries have in common."""

    model_config = ConfigDict(extra="forbid")

    n: StrictInt = 10
    search: StrictStr = "hierarchical"
    candidates: StrictInt | None = None
    unknown: StrictStr = "error"
    filter_items: Items | None = None


class Recommend(_Asked):
    """A query of items for ``users``, or for the users of ``histories``, who need not be known."""

    users: list[Id] | None = None
    histories: dict[str, list[Id]] | None = None
    items: Items | None = None
    exclude_known: bool = True


class Similar(_Asked):
    """A query of the neighbors of items or users."""

    ids: list[Id]


def serve_folder(folder: str | PathLike[str]) -> FastAPI:
    """Return an application that serves the model of a folder, for a server of your own."""
    log = logging.getLogger("uvicorn.error")
    return create_app(LiveModel(Path(folder), log), Limits(), _EVERY, log)


def create_app(live: LiveModel, limits: Limits, every: float, log: logging.Logger) -> FastAPI:
    """Return the application that serves ``live`` and looks for a new model ``every`` seconds."""
    measured = _Metrics(live)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ended = threading.Event()
        watch = threading.Thread(target=live.watch, args=(every, ended), daemon=True)
        live.announce()
        watch.start()
        yield
        ended.set()

    app = FastAPI(title="hashgnn", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(_Bounded, most=limits.body)
    app.add_middleware(_Measured, metrics=measured)
    _add_queries(app, live, limits)
    _add_errors(app, log)

    @app.get("/health")
    def health() -> dict[str, Any]:
        model = live.model
        sizes = {"users": len(model.user_ids), "items": len(model.item_ids), "bits": model.bits}
        state = {"replaced": live.replaced, "refused": live.refused}
        return {"status": "ok", "method": method_id(model.record), **sizes, **state}

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(measured.text(), media_type=CONTENT_TYPE_LATEST)

    return app


def _add_queries(app: FastAPI, live: LiveModel, limits: Limits) -> None:
    def recommended(asked: Recommend) -> dict[str, Any]:
        if (asked.users is None) == (asked.histories is None):
            raise InputError("users: give either users or histories")
        given = asked.users if asked.histories is None else asked.histories
        _check(limits, asked, "users" if asked.histories is None else "histories", given or ())
        model = live.model
        ranked = model.rank(**asked.model_dump())
        return {"users": _lists(ranked, "items", model.item_ids)}

    def similar(kind: str, asked: Similar) -> dict[str, Any]:
        _check(limits, asked, "ids", asked.ids)
        model = live.model
        given = asked.model_dump(exclude={"filter_items"})
        if kind == "item":
            given["filter_items"] = asked.filter_items
        elif asked.filter_items is not None:
            raise InputError("filter_items: similar users have no filters of items")
        known = model.item_ids if kind == "item" else model.user_ids
        ranked = model.rank_similar(kind, **given)
        return {f"{kind}s": _lists(ranked, "similar", known)}

    queries = APIRouter(dependencies=[Depends(_refuse_unknown_keys)])

    @queries.post("/recommend")
    def recommend(asked: Recommend) -> dict[str, Any]:
        return recommended(asked)

    @queries.get("/recommend")
    def recommend_to(
        user: Several, n: int = 10, search: str = "hierarchical", unknown: str = "error"
    ) -> dict[str, Any]:
        return recommended(Recommend(users=list(user), n=n, search=search, unknown=unknown))

    @queries.post("/similar/items")
    def similar_items(asked: Similar) -> dict[str, Any]:
        return similar("item", asked)

    @queries.post("/similar/users")
    def similar_users(asked: Similar) -> dict[str, Any]:
        return similar("user", asked)

    @queries.get("/similar/items")
    def similar_to_items(id: Several, n: int = 10, search: str = "hierarchical") -> dict[str, Any]:
        return similar("item", Similar(ids=list(id), n=n, search=search))

    @queries.get("/similar/users")
    def similar_to_users(id: Several, n: int = 10, search: str = "hierarchical") -> dict[str, Any]:
        return similar("user", Similar(ids=list(id), n=n, search=search))

    app.include_router(queries)


def _refuse_unknown_keys(request: Request) -> None:
    """Refuse keys in the address that the path does not take."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for key in request.query_params:
        if key not in known:
            problem = {"type": _UNKNOWN, "loc": ("query", key), "ctx": {"known": known}}
            raise RequestValidationError([problem])


def _check(limits: Limits, asked: _Asked, field: str, given: Any) -> None:
    """Raise ``InputError`` for a query of more than ``limits``, or of nobody."""
    sizes = {field: len(given), "n": asked.n, "candidates": asked.candidates or 1}
    most = {field: limits.users, "n": limits.n, "candidates": limits.candidates}
    for name, size in sizes.items():
        if not 1 <= size <= most[name]:
            what = "a list of 1 to" if name == field else "1 to"
            raise InputError(f"{name}: expected {what} {most[name]:,}, got {size:,}")


def _lists(ranked: Ranked, name: str, listed: Ids) -> list[dict[str, Any]]:
    """Return an object for each id that was asked for, with its list."""
    valid = ranked.found >= 0
    ends = np.cumsum(valid.sum(axis=1))
    every = np.asarray(listed.at(ranked.found[valid]), dtype=object)
    # The part behind the last end is empty, and the only one where nobody was asked for.
    ids, scores = np.split(every, ends)[:-1], np.split(ranked.scores[valid], ends)[:-1]
    rows = [
        {ranked.kind: id_, name: own.tolist(), "scores": of_own.tolist()}
        for id_, own, of_own in zip(ranked.ids.tolist(), ids, scores, strict=True)
    ]
    if ranked.sources is not None:
        for row, source in zip(rows, ranked.sources.tolist(), strict=True):
            row["source"] = source
    return rows


def _add_errors(app: FastAPI, log: logging.Logger) -> None:
    """Answer every bad request with one error that names the field."""

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        names = [str(name) for name in first["loc"][1:] if isinstance(name, str)]
        field = names[0] if names and first["type"] != "json_invalid" else "body"
        if first["type"] in (_UNKNOWN, "extra_forbidden"):
            return _error(422, field, f"{field}: {_unknown(request, first)}")
        found = "" if field == "body" else f", got {shown(first['input'])}"
        return _error(422, field, f"{field}: {first['msg']}{found}")

    @app.exception_handler(InputError)
    def refused(request: Request, error: InputError) -> JSONResponse:
        message = str(error).splitlines()[0]
        status = 501 if isinstance(error.__cause__, ModuleNotFoundError) else 422
        asked = "ids" if request.url.path.startswith("/similar") else "users"
        begin = message.partition(":")[0]
        of_ids = begin.startswith(("unknown ", "user ", "item "))
        field = asked if of_ids else begin.split()[0]
        return _error(status, field, message)

    @app.exception_handler(HttpError)
    def http(request: Request, error: HttpError) -> JSONResponse:
        field = "body" if error.status_code in (400, 413) else "path"
        return _error(error.status_code, field, f"{field}: {error.detail}")

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path)  # uvicorn logs the traceback
        return _error(500, "server", "the server failed; its log has the reason")


def _unknown(request: Request, problem: Mapping[str, Any]) -> str:
    """Return what is wrong with a key of the address or the body that nothing reads."""
    if problem["type"] == _UNKNOWN:
        known = problem["ctx"]["known"]
        elsewhere = "" if known else "; a POST takes its arguments in the body"
    else:
        body = request.scope["route"].body_field.field_info.annotation
        known, elsewhere = list(body.model_fields), ""
    listed = f"; known: {', '.join(known)}" if known else elsewhere
    return f"unknown key{did_you_mean(problem['loc'][1], known)}{listed}"


def _error(status: int, field: str, message: str) -> JSONResponse:
    content = {"field": _cut(field, _FIELD), "message": _cut(message, _MESSAGE)}
    return JSONResponse({"error": content}, status)


def _cut(text: str, most: int) -> str:
    """Return ``text`` in ``most`` characters, without its middle if it has more."""
    end = most // 3
    return text if len(text) <= most else f"{text[: most - end - 1]}…{text[-end:]}"


class _Bounded:
    """Refuse bodies of more than ``most`` bytes, announced or not."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = dict(scope.get("headers", ())).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._most:
            refused = _error(413, "body", self._message())
            await refused(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most:
                raise HTTPException(413, self._message().removeprefix("body: "))
            return message

        await self._app(scope, counted, send)

    def _message(self) -> str:
        return f"body: expected {self._most:,} bytes or fewer"


class _Metrics:
    """Requests by path and status, their seconds, and the model, for Prometheus."""

    def __init__(self, live: LiveModel) -> None:
        self._registry = CollectorRegistry()
        named: dict[str, Any] = {"registry": self._registry}
        self._requests = Counter("hashgnn_requests", "Requests.", ("path", "status"), **named)
        self._seconds = Histogram(
            "hashgnn_seconds", "Seconds of a request.", ("path",), buckets=_BUCKETS, **named
        )
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "users": ("Users of the model.", lambda: len(live.model.user_ids)),
            "items": ("Items of the model.", lambda: len(live.model.item_ids)),
            "models_replaced": ("New models that took over.", lambda: live.replaced),
            "models_refused": ("New models that could not be loaded.", lambda: live.refused),
        }
        for name, (what, value) in gauges.items():
            Gauge(f"hashgnn_{name}", what, **named).set_function(value)

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in the format of Prometheus."""
        return generate_latest(self._registry)


class _Measured:
    """Count requests by the path of their route; those without one together."""

    def __init__(self, app: ASGIApp, metrics: _Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.count(path, status, time.perf_counter() - begin)
