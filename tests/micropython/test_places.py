"""Each of the learner's modules in MicroPython has the places of the plan as constants of its own, for viper: they agree."""

from __future__ import annotations

import re

from mtjlearn.firmware.micropython_sources import micropython_sources

MODULES = ("learner.py", "noise.py", "forward.py", "loss.py", "update.py", "decorrelation.py", "rules.py")
PLACES = re.compile(r"# Places in (?:Network\.plan|the plan of a network).*\n((?:_\w+ = const\(\d+\)\n)+)")
CONSTANT = re.compile(r"^(\w+) = const\((\d+)\)$", re.MULTILINE)
WIDTHS = {"_LOSS": 4}
"""Numbers at a place, where it is not one: the losses of two passes, in halves."""
LAYER = ("_LAYER", "_INPUTS", "_LAYER_UNITS", "_ROWS", "_MATRIX", "_INPUT", "_DIFFERENCE")


def test_a_name_is_the_same_number_in_every_module() -> None:
    texts, seen = micropython_sources(viper=True), {}
    for module in MODULES:
        for name, number in CONSTANT.findall(texts[module]):
            assert seen.setdefault(name, (number, module))[0] == number, f"{name} in {module} and in {seen[name][1]}"
    assert len(seen) > 60


def test_places_of_the_plan_do_not_overlap() -> None:
    texts, places = micropython_sources(viper=True), {}
    for module in MODULES:
        (block,) = PLACES.findall(texts[module])
        places |= {name: int(number) for name, number in CONSTANT.findall(block) if name not in LAYER}
    first = places.pop("_FIRST")
    taken = [place for name, begin in places.items() for place in range(begin, begin + WIDTHS.get(name, 1))]
    assert len(taken) == len(set(taken))
    assert max(taken) < first
