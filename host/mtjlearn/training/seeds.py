"""The same training with several seeds: a run for each. Every run knows the others, so that any of them continues all."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mtjlearn.datasets import IMAGES, DatasetError
from mtjlearn.runs import Run, RunError, read_meta
from mtjlearn.training.plan import Plan

MOST = 1000
"""Seeds of one group."""
_PART = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")
_LARGEST = 2**31 - 1
_ENTRY = "seeds"
"""In meta.json."""


@dataclass(frozen=True)
class Seeds:
    """Runs that belong together.

    Args:
        group: their name, which is also the plot's.
        all: every seed, in the order of the runs.
    """

    group: str
    all: tuple[int, ...]

    @classmethod
    def new(cls, name: str, seeds: tuple[int, ...]) -> Seeds:
        """A group that does not exist yet, for data of this name."""
        plain = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:40] or "unnamed"
        return cls(f"{datetime.datetime.now():%Y%m%d-%H%M%S}-seeds-{plain}-{uuid.uuid4().hex[:4]}", seeds)

    @classmethod
    def of(cls, path: Path) -> Seeds | None:
        """The group of a run; None if it is alone.

        Raises:
            RunError: meta.json is missing or damaged.
        """
        return _group(read_meta(path), path)

    def create(self, root: Path, plan: Plan) -> Run:
        """A run of the group, for one of its seeds."""
        entry = {_ENTRY: {"group": self.group, "all": list(self.all)}}
        return Run.create(root, "train", plan.name, plan.seed, plan.config(), None, **entry)

    def members(self, root: Path) -> dict[int, Path]:
        """The runs that there are, by their seeds; damaged ones are not among them."""
        found: dict[int, Path] = {}
        for path in sorted(root.glob("*-train-*/")):
            try:
                meta = read_meta(path)
                if _group(meta, path) == self and meta["seed"] in self.all:
                    found[meta["seed"]] = path
            except RunError:
                continue
        return found


def parse_seeds(text: str) -> tuple[int, ...]:
    """Reads seeds such as ``0-9`` or ``0,2,5-7``.

    Raises:
        ValueError: what is wrong, and how seeds are written.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a list of seeds; write 0-9, or 0,2,5-7")
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if last < first or last > _LARGEST:
            raise ValueError(f"{part.strip()} is not a range of seeds; they rise, up to {_LARGEST:,}")
        if last - first >= MOST or len(seeds) + last - first >= MOST:
            raise ValueError(f"{text} is more than {MOST:,} seeds; give fewer")
        seeds += range(first, last + 1)
    double = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if double is not None:
        raise ValueError(f"seed {double} is given twice; give it once")
    return tuple(seeds)


def with_seed(plan: Plan, seed: int) -> Plan:
    """The same training with another seed: of the split, the weights, the order of the samples and a virtual board's noise."""
    return replace(plan, seed=seed, network=replace(plan.network, seed=seed + 1), loaded=None)


def check_data(plan: Plan, seeds: tuple[int, ...]) -> None:
    """Loads the split of each seed, so that one that cannot be learned is named before hours of training.

    Raises:
        DatasetError: naming the seed.
    """
    if plan.data in IMAGES:  # their split is published
        return
    for seed in seeds:
        try:
            with_seed(plan, seed).quantised  # noqa: B018 (raises if the data do not fit)
        except DatasetError as error:
            raise DatasetError(f"seed {seed}: {error}") from None


def _group(meta: Mapping[str, Any], path: Path) -> Seeds | None:
    entry = meta.get(_ENTRY)
    if entry is None:
        return None
    try:
        group, seeds = entry["group"], tuple(entry["all"])
        whole = all(isinstance(seed, int) and 0 <= seed <= _LARGEST for seed in seeds)
        if not (isinstance(group, str) and re.fullmatch(r"[\w.-]+", group) and whole and len(seeds) <= MOST):
            raise TypeError
    except (TypeError, KeyError):
        raise RunError(f"{path / 'meta.json'} is damaged (its seeds); start a new run") from None
    return Seeds(group, seeds)
