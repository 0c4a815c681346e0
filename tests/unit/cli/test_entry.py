"""What happens before the command is imported."""

from __future__ import annotations

import pytest

from mtjlearn import entry


@pytest.mark.parametrize("own", [None, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_linear_algebra_has_one_thread_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch, own: str | None) -> None:
    environment = {} if own is None else {own: "4"}
    monkeypatch.setattr(entry.os, "environ", environment)
    entry.one_thread()
    if own is None:
        assert environment["OPENBLAS_NUM_THREADS"] == environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == "1"
    else:
        assert environment == {own: "4"}
