"""What a person should know of a model before believing what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtjlearn.cli.view.console import say

if TYPE_CHECKING:
    from mtjlearn.models import Model


def say_imprecise(model: Model) -> None:
    """Names the inputs that lose what varies of them when they are scaled in single precision."""
    from mtjlearn.datasets.cells import list_names, shorten
    from mtjlearn.models import imprecise_inputs

    names = imprecise_inputs(model)
    if names:
        say(
            f"{list_names([shorten(name) for name in names], 5)}: too far from 0 for single precision, which loses what varies; "
            "predictions can be wrong: subtract a constant from the data and train again"
        )
