"""Imports every module of the package as on a system without POSIX: what only POSIX has cannot be imported."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import types

import mtjlearn

POSIX = ("fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")


def import_all() -> int:
    names = [found.name for found in pkgutil.walk_packages(mtjlearn.__path__, "mtjlearn.")]
    modules = [name for name in names if not name.endswith("__main__")]
    for name in modules:
        importlib.import_module(name)
    return len(modules)


def main() -> None:
    import_all()  # the packages of others choose by the real system what they import
    for name in [name for name in sys.modules if name.partition(".")[0] == "mtjlearn" and name != "mtjlearn"]:
        del sys.modules[name]
    for name in POSIX:
        sys.modules[name] = None  # type: ignore[assignment]  # then importing it fails
    sys.modules["msvcrt"] = types.ModuleType("msvcrt")
    sys.platform = "win32"
    print(import_all())


if __name__ == "__main__":
    main()
