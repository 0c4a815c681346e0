"""The paths of the page: its files, the stream of events, runs to compare, and with ``--control`` what may be done."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from mtjlearn.dashboard.access import Access
from mtjlearn.dashboard.actions import ActionError, Actions
from mtjlearn.dashboard.hub import Hub
from mtjlearn.dashboard.rundirs import RunsWatch
from mtjlearn.errors import UserError
from mtjlearn.runs.storage import describe, plain

STATIC = Path(__file__).with_name("static")
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
MOST_BODY = 4096
"""Bytes of what a page asks for."""
READ_ONLY = "this page is read-only; start it with mtjlearn dashboard --control"


class Page:
    """The page and its server's side.

    Args:
        hub: what is seen.
        runs: the watched directory.
        actions: what may be done; None: the page is read-only.
    """

    def __init__(self, hub: Hub, runs: RunsWatch, actions: Actions | None) -> None:
        self._hub = hub
        self._runs = runs
        self._actions = actions
        choices = None if actions is None else actions.choices()
        # The first topic: the page's cards need it.
        hub.publish("page", {"control": actions is not None, "choices": choices})

    def app(self, token: str) -> ASGIApp:
        """What a server serves."""
        routes = [
            Route("/", self._index),
            Route("/events", self._events),
            Route("/runs/{name}", self._run),
            Route("/actions/{action}", self._act, methods=["POST"]),
            Route("/{file}", self._file),
        ]
        return Access(Starlette(routes=routes), token)

    async def _index(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _file(self, request: Request) -> Response:
        path = STATIC / request.path_params["file"]
        if path.parent != STATIC or path.suffix not in _KINDS or not path.is_file():
            return _error("there is no such file", 404)
        return FileResponse(path, media_type=_KINDS[path.suffix])

    async def _events(self, request: Request) -> Response:
        return StreamingResponse(self._hub.events(), media_type="text/event-stream")

    async def _run(self, request: Request) -> Response:
        found = await run_in_threadpool(self._runs.find, request.path_params["name"])
        if found is None:
            return _error("there is no such run", 404)
        return JSONResponse(plain(found.view()))

    async def _act(self, request: Request) -> Response:
        if self._actions is None:
            return _error(READ_ONLY, 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _error("an action is application/json", 415)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                return _error(f"an action has at most {MOST_BODY} bytes", 413)
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            return _error("an action is a JSON object", 400)
        try:
            result = await run_in_threadpool(self._actions.perform, request.path_params["action"], asked)
        except ActionError as error:
            return _error(str(error), 400)
        except UserError as error:
            return _error(str(error), 409)
        except OSError as error:
            return _error(describe(Path(error.filename or "the file"), error), 409)
        return JSONResponse(plain(result))


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status_code=status)
