"""A search: Optuna chooses the points, one after the other, from what it has found before.

Everything is in Optuna's journal, which several processes may share. Each trial is a point with several seeds; its value is the
mean over them. The parameters of a trial follow from the search's seed, the trial's number and the trials before it, so that an
interrupted search of one process ends as one that was not interrupted.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from mtjlearn.errors import install_extra
from mtjlearn.runs.storage import Lock, is_locked, plain
from mtjlearn.sweeps.engine import Engine, Task
from mtjlearn.sweeps.measure import FAILED, OK, Outcome
from mtjlearn.sweeps.points import SEED, Point, SweepError, digest, name_of
from mtjlearn.sweeps.results import Results, check_pyarrow, refuse_reserved, write_results
from mtjlearn.sweeps.run import Progress
from mtjlearn.sweeps.search_files import (
    LOCK,
    TRIAL,
    Interval,
    JournalLock,
    Search,
    Space,
    described,
    disk,
    held,
    read_search,
    space_of,
    write_search,
)

TRIALS = "trials.journal"
_SEARCHERS = "searchers"
_STUDY = "search"
_OWNER = "owner"
_RUNS = "run"


def run_search(
    task: Task,
    space: Space,
    directory: str | Path,
    *,
    trials: int,
    objective: str,
    maximise: bool = False,
    seeds: Sequence[int] = (0,),
    seed: int = 0,
    together: int = 1,
    settings: Mapping[str, Any] | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    boards: Sequence[str] = (),
    board_resource: bool = False,
    progress: Progress | None = None,
    command: Callable[[Point], str] | None = None,
) -> Results:
    """Searches the parameters with which a number of the task is smallest or largest.

    Called again, it continues; with more trials it continues beyond its former end. Several processes may do so at once, also on
    several computers that share the directory; then the order in which they end decides what is tried next.

    Args:
        task: as :func:`mtjlearn.sweeps.run_sweep`, as are settings, scheduler, workers, boards, board_resource and command.
        space: values of each parameter.
        directory: holds the search; made if it does not exist.
        trials: points tried in all, those of earlier calls and of other processes among them.
        objective: the number that counts; NaN counts as infinitely bad, a trial of which a run fails does not count.
        maximise: whether large values are good.
        seeds: each trial is computed with each of these.
        seed: of the choice of points.
        together: points chosen at once: more of them use more workers, and know less of each other.
        settings: what all runs share.
        scheduler: address of a Dask scheduler.
        workers: processes.
        boards: ports.
        board_resource: each run needs a Dask worker that owns a board.
        progress: called with trials done, trials in all, and the best value.
        command: gives a row's column ``command``.

    Returns:
        A row per run, with the trial's number as the parameter ``trial``.

    Raises:
        SweepError: a package is missing, the directory holds another search, cannot be written, or the task does not return the
            objective.
        KeyboardInterrupt: what was computed is kept.
    """
    check_pyarrow()
    folder = Path(directory)
    settings = dict(plain(settings or {}))
    searched = Search(
        name_of(task),
        settings,
        {name: described(name, values) for name, values in space.items()},
        objective,
        maximise,
        [int(value) for value in seeds],
        seed,
        together,
    )
    write_search(folder, searched, trials)
    searcher = _Searcher(folder, searched, space)
    runs = together * len(searched.seeds)
    options: dict[str, Any] = {"scheduler": scheduler, "workers": workers, "boards": boards, "board_resource": board_resource}
    with searcher, Engine(task, settings, **options, runs=runs) as engine:
        computed = 0
        while chosen := searcher.choose(trials):
            searcher.tell(progress, trials)
            computed += searcher.compute(engine, chosen)
        searcher.tell(progress, trials)
        results = searcher.results(computed)
        write_results(results, settings, command)
    return results


def read_trials(directory: Path) -> tuple[Results, Search]:
    """What a search has found so far.

    Raises:
        SweepError: it is not a search, or is damaged.
    """
    search, _ = read_search(directory)
    with _Searcher(directory, search, space_of(search.space)) as searcher:
        return searcher.results(0), search


class _Searcher:
    """A process that takes part in a search."""

    def __init__(self, folder: Path, search: Search, space: Space) -> None:
        self._folder = folder
        self._search = search
        self._space = space
        self._optuna = _optuna()
        self._name = uuid.uuid4().hex
        (folder / _SEARCHERS).mkdir(exist_ok=True)
        self._alive = Lock(folder / _SEARCHERS / self._name)
        storage = self._optuna.storages
        journal = storage.journal.JournalFileBackend(str(folder / TRIALS), lock_obj=JournalLock(folder / TRIALS))
        with disk(folder / TRIALS):
            self._study = self._optuna.create_study(
                study_name=_STUDY,
                storage=storage.JournalStorage(journal),
                direction="maximize" if search.maximise else "minimize",
                load_if_exists=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._alive.release()
        with suppress(OSError):
            (self._folder / _SEARCHERS / self._name).unlink()

    def choose(self, trials: int) -> list[Any]:
        """Points to compute next, those whose process has died among them; none: the search has ended, or others end it."""
        with held(self._folder / LOCK), disk(self._folder / TRIALS):
            known = self._study.get_trials(deepcopy=False)
            running = [trial for trial in known if not trial.state.is_finished()]
            chosen = [self._trial(trial) for trial in running if self._is_left(trial)]
            begun = len(known) % self._search.together
            room = self._search.together - begun if begun or not chosen else 0
            chosen += [self._ask() for _ in range(min(room, trials - len(known)))]
            for trial in chosen:
                trial.set_user_attr(_OWNER, self._name)
                self._suggest(trial)
            return chosen

    def compute(self, engine: Engine, chosen: Sequence[Any]) -> int:
        """Computes these points with all seeds that are not computed yet; how many runs that were."""
        by_number = {trial.number: trial for trial in chosen}
        todo = [
            {TRIAL: trial.number, **trial.params, SEED: seed}
            for trial in chosen
            for seed in self._search.seeds
            if f"{_RUNS} {seed}" not in trial.user_attrs
        ]

        def keep(point: Point, outcome: Outcome) -> None:
            refuse_reserved(list(point), outcome.numbers)
            if outcome.status == OK and not isinstance(outcome.numbers.get(self._search.objective), int | float):
                found = ", ".join(outcome.numbers)
                raise SweepError(f"there is no number {self._search.objective} to search by; the runs find {found}")
            with disk(self._folder / TRIALS):
                by_number[point[TRIAL]].set_user_attr(f"{_RUNS} {point[SEED]}", json.dumps(asdict(outcome)))

        engine.compute(todo, keep)
        with disk(self._folder / TRIALS):
            for trial in chosen:
                self._end(trial)
        return len(todo)

    def tell(self, progress: Progress | None, trials: int) -> None:
        """Reports how far the search is."""
        if progress is None:
            return
        finished = [trial for trial in self._study.get_trials(deepcopy=False) if trial.state.is_finished()]
        values = [trial.value for trial in finished if trial.value is not None]
        best = (max if self._search.maximise else min)(values, default=None)
        progress(len(finished), trials, "" if best is None else f"best {self._search.objective} {best:.4g}")

    def results(self, computed: int) -> Results:
        """A row per run of all trials that have ended."""
        found = [trial for trial in self._study.get_trials(deepcopy=False) if trial.state.is_finished()]
        parameters = [TRIAL, *self._search.space, SEED]
        runs = [
            ({TRIAL: trial.number, **trial.params, SEED: seed}, json.loads(trial.user_attrs[f"{_RUNS} {seed}"]))
            for trial in found
            for seed in self._search.seeds
        ]
        numbers = list(dict.fromkeys(name for _, outcome in runs for name in outcome["numbers"]))
        rows = [
            {
                **point,
                **{name: outcome["numbers"].get(name) for name in numbers},
                **{name: outcome[name] for name in ("status", "error", "seconds")},
            }
            for point, outcome in runs
        ]
        return Results(self._folder, parameters, numbers, rows, computed=computed)

    def _is_left(self, trial: Any) -> bool:
        """Whether the process that had chosen it has died: it chose under the lock, so that a trial without an owner has none."""
        owner = trial.user_attrs.get(_OWNER)
        return owner is None or not is_locked(self._folder / _SEARCHERS / owner)

    def _trial(self, trial: Any) -> Any:
        return self._optuna.trial.Trial(self._study, trial._trial_id)

    def _ask(self) -> Any:
        self._study.sampler = self._sampler(len(self._study.get_trials(deepcopy=False)), "")
        return self._study.ask()

    def _suggest(self, trial: Any) -> None:
        for name, values in self._space.items():
            self._study.sampler = self._sampler(trial.number, name)
            if not isinstance(values, Interval):
                trial.suggest_categorical(name, list(values))
            elif values.integer:
                trial.suggest_int(name, int(values.low), int(values.high), log=values.log)
            else:
                trial.suggest_float(name, values.low, values.high, log=values.log)

    def _sampler(self, number: int, name: str) -> Any:
        """A sampler of its own for each choice: what it draws does not depend on what this process has drawn before."""
        seed = int(digest([self._search.seed, number, name])[:8], 16)
        return self._optuna.samplers.TPESampler(seed=seed, constant_liar=True)

    def _end(self, trial: Any) -> None:
        outcomes = [json.loads(trial.user_attrs[f"{_RUNS} {seed}"]) for seed in self._search.seeds]
        if any(outcome["status"] == FAILED for outcome in outcomes):
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            return
        value = sum(outcome["numbers"][self._search.objective] for outcome in outcomes) / len(outcomes)
        worst = -math.inf if self._search.maximise else math.inf
        self._study.tell(trial, worst if math.isnan(value) else value)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise SweepError(f"a search needs Optuna: {install_extra('sweep')}") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
