"""The long runs of the noise tests: false alarms in 10^8 codes of the paper's healthy junction at either rate, how soon each
fault is detected, and whether a stuck junction ever passes a calibration. Prints one line of JSON each; a false alarm or a stuck
junction that passes makes it fail.

    make soak-health ARGS="[--codes 100000000] [--seeds 200] [--attempts 1000000]"
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

from health_support import Watch, false_alarms, latency, latency_bound

from mtjlearn.inprocess.device import DeviceNoise

RATES = (9615, 40_000)
FAULTS = ("STUCK", "SHORT", "OPEN", "SATURATING", "SLOW", "DRIFTING")
RUN = 5_000_000
"""Codes from one calibration."""


def main() -> int:
    """Runs all; returns the process's exit code."""
    parser = argparse.ArgumentParser(description="The long runs of the noise tests.")
    parser.add_argument("--codes", type=int, default=100_000_000, help="at each rate, for false alarms")
    parser.add_argument("--seeds", type=int, default=200, help="of each fault")
    parser.add_argument("--attempts", type=int, default=1_000_000, help="to calibrate on each stuck junction")
    options = parser.parse_args()
    wrong = 0
    for rate in RATES:
        alarms = tested = 0
        while tested < options.codes:
            alarm, codes = false_alarms(rate, min(RUN, options.codes - tested), seed=tested)
            alarms, tested = alarms + alarm, tested + codes
        wrong += alarms
        print(json.dumps({"rate": rate, "healthy_codes": tested, "false_alarms": alarms}), flush=True)
    for rate in RATES:
        for name in FAULTS:
            latencies = [latency(rate, DeviceNoise[name], seed)[0] for seed in range(options.seeds)]
            figures = {
                "median": statistics.median(latencies),
                "most": max(latencies),
                "bound": latency_bound(rate, DeviceNoise[name]),
            }
            print(json.dumps({"rate": rate, "fault": name, "seeds": options.seeds, **figures}), flush=True)
    for deviation in (1.0, 1.3, 3.0):
        watch = Watch(noise=DeviceNoise.STUCK)
        watch.observe(deviation)
        passed = watch.attempts(options.attempts)
        wrong += passed
        print(json.dumps({"stuck_mv": deviation, "attempts": options.attempts, "passed": passed}), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
