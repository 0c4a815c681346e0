"""Hosts are killed and stopped while a board learns autonomously: it does not care."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest
from survival_support import accuracy_on_test, board_process, host, observer, result, see, stop, wait, wait_for_port

from mtjlearn.wire.messages import Activity

EPOCHS = {"native": 1200, "uno-sim": 100, "micropython": 400}
"""Enough for .93 on the test part, and for hosts to come and go meanwhile."""
SAMPLES = 120
SEED = 0


@pytest.mark.parametrize(
    "name", ["native", *(pytest.param(name, marks=pytest.mark.slow) for name in ("uno-sim", "micropython"))], indirect=True
)
def test_iris_is_learned_whatever_becomes_of_the_hosts(name: str) -> None:
    with board_process(name) as url:
        result(host("autonomous", "start", "iris", "--board", url, "--epochs", EPOCHS[name], "--seed", SEED))
        steps = []

        watching = watch(url)
        watching.kill()
        assert watching.wait() == -signal.SIGKILL
        with observer(url) as client:
            steps.append(see(client).progress.steps)
        time.sleep(0.5)  # nobody is there
        with observer(url) as client:
            steps.append(see(client).progress.steps)

        watching = watch(url)
        stop(watching)
        with observer(url) as client:  # the stopped one still has its hand on the port
            seen = see(client)
            steps.append(seen.progress.steps)
            assert seen.learns
            seen = wait(client, lambda seen: seen.progress.steps > steps[-1] + 1000 or not seen.learns)
            steps.append(seen.progress.steps)
            assert seen.learns
        watching.send_signal(signal.SIGCONT)
        told = result(watching)  # finds its session gone, opens another, and sees the end
        assert told["progress"]["activity"] == "finished"
        assert told["progress"]["steps"] == EPOCHS[name] * SAMPLES

        assert steps == sorted(set(steps))
        with observer(url) as client:
            seen = see(client)
            assert (seen.progress.activity, seen.status.steps) == (Activity.FINISHED, EPOCHS[name] * SAMPLES)
        accuracy = accuracy_on_test(url, SEED)
        assert accuracy >= 0.93


def watch(url: str) -> subprocess.Popen[str]:
    """A host in the middle of watching."""
    process = host("autonomous", "watch", "--board", url)
    wait_for_port(process, url)
    time.sleep(0.7)
    assert process.poll() is None
    return process
