"""Who may read the page: a browser on this computer that knows the token, and no page of somebody else's in that browser.

The token is the first part of every path, so that relative links carry it and no cookie exists that a foreign page could use.
A name that was rebound to this computer (DNS rebinding) is seen in Host, a foreign page in Origin.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost"})
"""Names by which a browser reaches this computer; another port is a tunnel's."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer: the page runs its own files alone, talks to its server alone, and is in no frame."""


def new_token() -> str:
    """192 random bits, as a part of a path."""
    return secrets.token_urlsafe(24)


class Access:
    """Lets requests with the right Host, Origin and token through; all others get 403.

    Args:
        app: what is behind it; it finds the token in ``root_path``.
        token: first part of every path.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server for each request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, guarded)
        else:
            await self._app({**scope, "root_path": f"/{self._token}"}, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["type"] != "http":
            return _forbidden("this server speaks HTTP alone")
        found: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            found.setdefault(name, []).append(value.decode("latin-1"))
        hosts, origins = found.get(b"host", []), found.get(b"origin", [])
        if len(hosts) != 1 or not _is_loopback(hosts[0]):
            return _forbidden("this page is served to http://127.0.0.1 and http://localhost alone")
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return _forbidden("another page asked; open the address that mtjlearn dashboard printed")
        first, slash, _ = scope["path"].removeprefix("/").partition("/")
        if not secrets.compare_digest(first.encode("utf-8", "replace"), self._token.encode()):
            return _forbidden("the token is missing or of another start; open the address that mtjlearn dashboard printed")
        return None if slash else RedirectResponse(f"/{self._token}/")


def _is_loopback(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        return parts.netloc == host and "@" not in host and parts.hostname in LOOPBACK and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _forbidden(text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status_code=403)
