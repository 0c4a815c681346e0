"""Who reaches the page: the right Host, Origin and token; every other request gets 403 and learns nothing."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mtjlearn.dashboard.access import HEADERS, Access, new_token
from mtjlearn.dashboard.app import STATIC

TOKEN = "right-token"
HOST = "127.0.0.1:8000"


def client() -> TestClient:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("secret"), methods=["GET", "POST"])])
    return TestClient(Access(app, TOKEN), base_url=f"http://{HOST}", follow_redirects=False)


def test_the_right_request_is_answered() -> None:
    found = client().get(f"/{TOKEN}/")
    assert (found.status_code, found.text) == (200, "secret")
    assert client().get(f"/{TOKEN}/", headers={"Origin": f"http://{HOST}"}).status_code == 200
    assert client().get(f"/{TOKEN}/", headers={"Host": "localhost:9000", "Origin": "http://localhost:9000"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "", "/wrong-token/", f"/{TOKEN}x/", f"/{TOKEN[:-1]}/", f"//{TOKEN}/", "/%72ight-toke/", "/\u00e9/"]
)
def test_a_wrong_token(path: str) -> None:
    found = client().get(path)
    assert found.status_code == 403
    assert "secret" not in found.text
    assert TOKEN not in found.text


def test_a_token_without_its_slash_is_led_to_the_page() -> None:
    found = client().get(f"/{TOKEN}")
    assert (found.status_code, found.headers["location"]) == (307, f"/{TOKEN}/")


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "127.0.0.1.evil.example:8000", "localhost.evil.example", "192.168.0.7:8000"),
        *("evil@127.0.0.1:8000", "127.0.0.1:8000@evil.example", "127.0.0.1:x", "127.0.0.1/x", "", "0.0.0.0:8000", "[::1"),
    ],
)
def test_a_name_that_was_rebound_to_this_computer(host: str) -> None:
    found = client().get(f"/{TOKEN}/", headers={"Host": host})
    assert found.status_code == 403
    assert "secret" not in found.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8000", f"https://{HOST}", ""]
)
def test_a_page_of_somebody_else(method: str, origin: str) -> None:
    found = client().request(method, f"/{TOKEN}/", headers={"Origin": origin})
    assert found.status_code == 403
    assert "secret" not in found.text


@pytest.mark.parametrize("headers", [[], [(b"host", HOST.encode())] * 2], ids=["no Host", "two Hosts"])
def test_a_host_that_is_not_one(headers: list[tuple[bytes, bytes]]) -> None:
    assert answer({"type": "http", "method": "GET", "path": f"/{TOKEN}/", "query_string": b"", "headers": headers}) == 403


def test_another_protocol_is_refused() -> None:
    scope = {
        "type": "websocket",
        "path": f"/{TOKEN}/",
        "headers": [(b"host", HOST.encode())],
        "extensions": {"websocket.http.response": {}},
    }
    assert answer(scope) == 403


def answer(scope: dict[str, object]) -> int:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    app = Access(Starlette(routes=[Route("/", lambda request: PlainTextResponse("secret"))]), TOKEN)
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return int(str(sent[0]["status"]))


@pytest.mark.parametrize("path", [f"/{TOKEN}/", "/wrong/", f"/{TOKEN}/nothing"])
def test_every_answer_confines_the_page(path: str) -> None:
    found = client().get(path)
    assert {name: found.headers[name] for name in HEADERS} == HEADERS
    policy = dict(part.split(maxsplit=1) for part in found.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}


def test_tokens_are_long_and_new() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[\w-]{32}", token) for token in tokens)


# --- the files of the page ---


def sources(pattern: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(STATIC.glob(pattern)) if ".min." not in path.name}


def test_no_script_or_style_is_inline_and_none_comes_from_elsewhere() -> None:
    for name, text in (sources("*.html") | sources("*.js") | sources("*.css")).items():
        assert not re.search(r"(?:https?:)?//(?!www\.w3\.org)\w+\.\w+", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:", text), (
            name
        )
    page = sources("*.html")["index.html"]
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)
    for reference in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert (STATIC / reference).is_file(), reference


def test_modules_import_each_other_by_name_and_are_short() -> None:
    for name, text in sources("*.js").items():
        assert text.count("\n") < 300, name
        assert text.startswith("/*"), f"{name}: a comment says what it is"
        for module in re.findall(r'from "([^"]+)"', text):
            assert (STATIC / module).is_file(), f"{name}: {module}"


def test_the_one_file_of_others_has_its_licence() -> None:
    text = (STATIC / "uPlot.iife.min.js").read_text(encoding="utf-8")
    version = re.search(r"\(v([\d.]+)\)", text)
    assert version is not None
    assert "MIT" in (STATIC / "uPlot.LICENSE").read_text(encoding="utf-8")
    page = (Path(__file__).parents[3] / "docs" / "dashboard.md").read_text(encoding="utf-8")
    assert f"uPlot {version[1]}" in page
