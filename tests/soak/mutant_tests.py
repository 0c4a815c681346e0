"""Which test files a source file's mutants meet that the fast tests leave alive, and those of files that no fast test reaches."""

from __future__ import annotations

import fnmatch
from pathlib import Path

UNIT = "tests/unit"
MICROPYTHON = "tests/micropython"

TESTS: list[tuple[str, str]] = [
    ("host/mtjlearn/datasets/*", "test_datasets* test_training_plan test_training_sameness"),
    ("host/mtjlearn/npz.py", "test_datasets_* test_noise_recording test_runs test_security"),
    ("host/mtjlearn/models/*", "test_models* test_exported_*"),
    ("host/mtjlearn/training/models.py", "test_models"),
    ("host/mtjlearn/estimators/*", "test_estimators"),
    ("host/mtjlearn/sweeps/*", "tests/unit/sweeps test_cli_sweep"),
    ("host/mtjlearn/reproduction/*", "tests/unit/reproduction"),
    ("host/mtjlearn/firmware/sizes.py", "tests/bench/test_bench_profile.py"),
    ("host/mtjlearn/runs/*", "test_runs test_cli_runs test_training_resume test_training_sameness"),
    ("host/mtjlearn/training/autonomous.py", "test_cli_autonomous test_autonom*"),
    ("host/mtjlearn/training/*", "test_training_* test_cli_train*"),
    ("host/mtjlearn/fixedpoint/*", "test_fixedpoint test_vectors test_learner_equals_model test_health_*"),
    ("host/mtjlearn/reference/*", "test_reference_*"),
    ("host/mtjlearn/noise/*", "test_noise_* test_health_* test_cli_noise"),
    (
        "host/mtjlearn/wire/*",
        "test_frame test_message_limits test_link* test_tcp* test_transport test_returned_frames test_faults_host test_liar",
    ),
    (
        "host/mtjlearn/board/*",
        "test_board_* test_autonom* test_checkpoint* test_dataset_packing test_device_* test_refusal_texts "
        "test_exact_limits tests/board",
    ),
    ("host/mtjlearn/virtual/micropython.py", f"{MICROPYTHON}/test_unix_board.py {MICROPYTHON}/test_configuration.py"),
    ("host/mtjlearn/virtual/*", "test_native_* test_virtual_faults test_discovery"),
    ("host/mtjlearn/inprocess/*", "test_memory_board* test_smtj_native test_virtual_faults test_learner_equals_model"),
    ("host/mtjlearn/firmware/m*", f"{MICROPYTHON}/test_constants.py {MICROPYTHON}/test_compiled.py tests/flash"),
    ("host/mtjlearn/firmware/*", "test_environments tests/flash"),
    ("host/mtjlearn/validate/*", "test_validate test_cli_validate"),
    ("host/mtjlearn/flashing/*", "tests/flash"),
    ("host/mtjlearn/plots.py", "test_plots* test_training_run"),
    ("host/mtjlearn/dashboard/*", "tests/unit/dashboard"),
    ("host/mtjlearn/comparison/*", "test_comparison test_training_seeds"),
    ("host/mtjlearn/discovery.py", "test_discovery test_cli_boards"),
    ("host/mtjlearn/cli/show.py", "test_models*"),
    ("host/mtjlearn/cli/[ep]*t.py", "test_models test_exported_* test_cli_hostile_names test_rates tests/bench/test_bench_cost.py"),
    ("host/mtjlearn/cli/reproduce.py", "tests/unit/reproduction"),
    ("host/mtjlearn/cli/*noise*", "test_cli_noise*"),
    ("host/mtjlearn/cli/[acl]*", "test_cli_autonomous test_checkpoint_file test_link_decoding test_cli_noise test_cli_runs"),
    ("host/mtjlearn/cli/[bdf]*", "test_cli_boards test_cli_demo tests/flash tests/bench"),
    ("host/mtjlearn/cli/*", "test_cli_*"),
    ("host/mtjlearn/bench/*", "tests/unit/bench tests/bench"),
    ("firmware/lib/anp/src/*_m0.c", "tests/chips/m0_sim tests/chips/cortex_m"),
    ("firmware/lib/anp/*", "test_learner_* test_vectors test_device_* tests/board"),
    ("firmware/lib/wire/*", "test_wire_c test_faults_c test_memory_board test_faults_host"),
    ("firmware/src/health*", "test_health_* test_device_noise_fails test_exact_limits"),
    (
        "firmware/src/autonomous/*",
        "test_autonomous test_exact_limits test_checkpoint* test_uploads_bounded test_memory_board_memory test_cli_autonomous",
    ),
    (
        "firmware/src/*",
        "test_exact_limits test_device_* test_memory_board* test_autonomous test_checkpoints test_health_* tests/board",
    ),
    (
        "firmware/virtual/*",
        f"test_smtj_native test_generator test_virtual_faults test_memory_board* test_native_* test_tcp_line "
        f"{MICROPYTHON}/test_unix_board.py",
    ),
    ("firmware/boards/native/*", "test_native_*"),
]
"""Patterns of source files, the first that fits counts, and tests: names of files below tests/unit, or paths."""

COMPARISONS = [
    ("firmware/lib/anp/*", "tests/unit/learner/test_learner_equals_model.py"),
    ("firmware/src/health*", "tests/unit/noise/test_health_equals_model.py"),
    ("host/mtjlearn/fixedpoint/*", "tests/unit/learner/test_learner_equals_model.py"),
]
"""Patterns of source files, and the test that compares two implementations on drawn inputs: not fast, but it catches most mutants
within seconds."""


def compared_by(path: str) -> list[str]:
    """The tests that compare a source file's arithmetic with another implementation."""
    return [test for pattern, test in COMPARISONS if fnmatch.fnmatch(path, pattern)]


def tests_of(tree: Path, path: str) -> list[str]:
    """Test files that the table has for a source file."""
    words = next((tests for pattern, tests in TESTS if fnmatch.fnmatch(path, pattern)), "").split()
    files: list[str] = []
    for word in words:
        if word.startswith("tests/"):
            files.append(word)
        else:
            files += [match.relative_to(tree).as_posix() for match in sorted((tree / UNIT).rglob(f"{word}.py"))]
    return list(dict.fromkeys(files))
