"""Module paths that the pages of version 0.1.0 name, and where the modules are now."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

MOVED = {
    "mtjlearn.bench.credit_client": "mtjlearn.bench.chip.credit_client",
    "mtjlearn.bench.limits": "mtjlearn.bench.chip.limits",
    "mtjlearn.virtual.uno_library": "mtjlearn.inprocess.uno",
}


class Moved(MetaPathFinder, Loader):
    """Imports a module by its old path, with a warning."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See :class:`importlib.abc.MetaPathFinder`."""
        return spec_from_loader(name, self) if name in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        """See :class:`importlib.abc.Loader`."""
        name = module.__name__
        warnings.warn(f"{name} is {MOVED[name]} now", DeprecationWarning, stacklevel=2)
        sys.modules[name] = importlib.import_module(MOVED[name])
