"""Downloads: complete and with the right checksum, or not at all; here from a server of this computer."""

from __future__ import annotations

import hashlib
import http.server
import threading
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from images_support import write_idx_set

from mtjlearn import interruption
from mtjlearn.datasets import DatasetError, download, image_files, load
from mtjlearn.datasets.download import UnreachableError
from mtjlearn.datasets.image_sets import IMAGE_SETS, Published


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: _Quiet(*given, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def published(base: str, path: Path, **changed: object) -> Published:
    content = path.read_bytes()
    known = {"url": base + path.name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return Published(**{**known, **changed})


@pytest.fixture
def file(tmp_path: Path) -> Iterator[tuple[Published, Path]]:
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "some-file.gz"
    path.write_bytes(bytes(range(256)) * 1024)
    with served(path.parent) as base:
        yield published(base, path), tmp_path / "here" / "new"


def test_a_file_comes_whole_and_its_progress_is_told(file):
    told: list[tuple[str, int, int]] = []
    path = download.download(file[0], file[1], lambda *what: told.append(what))
    assert path.read_bytes() == bytes(range(256)) * 1024
    assert [entry.name for entry in file[1].iterdir()] == ["some-file.gz"]
    assert told[-1] == ("some-file.gz", 262_144, 262_144)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"sha256": "0" * 64}, DatasetError, r"has SHA-256 [0-9a-f]{12}\.\.\. instead of 000000000000\.\.\.; it is not used"),
        ({"size": 262_145}, UnreachableError, "ends after 262,144 of 262,145 bytes"),
        ({"size": 100_000}, DatasetError, "it is not used"),
    ],
)
def test_another_file_is_not_kept(file, changed, kind, said):
    wrong = Published(**{"url": file[0].url, "size": file[0].size, "sha256": file[0].sha256, **changed})
    with pytest.raises(kind, match=said):
        download.download(wrong, file[1])
    assert list(file[1].iterdir()) == []


def test_no_server_no_such_file_no_folder(file, tmp_path):
    for url in ("http://127.0.0.1:9/some-file.gz", file[0].url + ".not", "nonsense"):
        with pytest.raises(UnreachableError, match=url):
            download.download(Published(url, 1, "0" * 64), file[1])
    (tmp_path / "plain").write_text("x")
    with pytest.raises(DatasetError, match=r"cannot be written to: .*; name another with --data-dir"):
        download.download(file[0], tmp_path / "plain")


def test_an_interrupted_download_leaves_nothing(file, monkeypatch):
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(interruption, "check", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download.download(file[0], file[1])
    assert list(file[1].iterdir()) == []


def test_a_full_disk_is_one_line(file, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download.os, "replace", full)
    with pytest.raises(DatasetError, match=r"some-file\.gz cannot be written: No space left on device"):
        download.download(file[0], file[1])
    assert list(file[1].iterdir()) == []


def test_a_set_is_downloaded_once(tmp_path, monkeypatch):
    there = write_idx_set(tmp_path / "there")
    monkeypatch.setattr(image_files, "SYSTEM", tmp_path / "system")
    monkeypatch.setattr(image_files, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv(image_files.FOLDER, raising=False)
    told: list[str] = []
    with served(there) as base:
        known = IMAGE_SETS["mnist"]
        files = {path.name: published(base, path) for path in there.iterdir()}
        monkeypatch.setattr("mtjlearn.datasets.images.IMAGE_SETS", {"mnist": type(known)(**{**vars(known), "files": files})})
        first = load("mnist", seed=0, progress=lambda name, done, total: told.append(name))
    assert set(told) == set(files)
    assert load("mnist", seed=0).digest == first.digest


def test_the_table_names_every_file_with_size_and_checksum():
    for images in IMAGE_SETS.values():
        assert len(images.files) == (4 if images.format == "idx" else 1)
        for name, file in images.files.items():
            assert file.url.startswith("https://")
            assert file.url.endswith(f"/{name}")
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size > 1000


@pytest.mark.parametrize(
    ("reason", "said"), [(TimeoutError("timed out"), "no answer"), (ConnectionRefusedError(111, "refused"), "[Errno 111] refused")]
)
def test_a_server_that_does_not_answer(file, monkeypatch, reason, said):
    def refuse(*_arguments, **_options):
        raise urllib.error.URLError(reason)

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(UnreachableError) as refused:
        download.download(*file)
    assert str(refused.value).endswith(f": {said}")
