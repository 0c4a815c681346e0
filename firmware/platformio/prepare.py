"""Prepares a PlatformIO core directory with which `pio run` builds without a network.

PlatformIO downloads its build tool and its platforms into a core directory on first use. Where that is impossible, this
script fills a core directory with the small stand-ins next to it: everything under `packages/` and `platforms/`, each
folder one package. Use::

    python firmware/platformio/prepare.py pio run -e native

runs the command with that core directory; without a command the script prints the environment variables to set. With a
network none of this is needed: `pio run -e native` alone does the same with PlatformIO's own packages.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent

KINDS = {"packages": ("tool", "package.json"), "platforms": ("platform", "platform.json")}
"""Folder in a core directory: PlatformIO's name for what lies there, and the manifest of each of them."""


def install(source: Path, core: Path) -> None:
    """Copies one stand-in into the core directory and marks it as installed from PlatformIO's registry.

    Without the mark (`.piopm`), requirements with an owner such as `platformio/tool-scons` would not find it.
    """
    kind, manifest_name = KINDS[source.parent.name]
    manifest = json.loads((source / manifest_name).read_text(encoding="utf-8"))
    name, version = manifest["name"], manifest["version"]
    target = core / source.parent.name / name
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    origin = {"owner": "platformio", "id": None, "name": name, "requirements": None, "uri": None}
    mark = {"type": kind, "name": name, "version": version, "spec": origin}
    (target / ".piopm").write_text(json.dumps(mark), encoding="utf-8")


def prepare(core: Path) -> dict[str, str]:
    """Fills the core directory; returns the environment variables with which PlatformIO uses it and asks no server."""
    for folder in KINDS:
        for source in sorted((HERE / folder).iterdir()):
            install(source, core)
    return {
        "PLATFORMIO_CORE_DIR": str(core.resolve()),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    }


def main() -> None:
    """Command line; the command that is to run takes this process over."""
    parser = argparse.ArgumentParser(description="Makes PlatformIO build without a network.")
    parser.add_argument("--core-dir", type=Path, default=PROJECT / "build" / "pio-core", help="directory to fill")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="command to run with it, e.g. pio run -e native")
    arguments = parser.parse_args()
    if find_spec("platformio") is None or find_spec("SCons") is None:
        parser.exit(2, f"PlatformIO and SCons are missing; install them: {sys.executable} -m pip install -e '.[test]'\n")
    variables = prepare(arguments.core_dir)
    if not arguments.command:
        print("\n".join(f"{name}={value}" for name, value in variables.items()))
        return
    # A plain `pio` is the one installed next to this Python, whether or not its environment is activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    try:
        os.execvpe(arguments.command[0], arguments.command, {**os.environ, **variables, "PATH": path})
    except FileNotFoundError:
        parser.exit(2, f"no program {arguments.command[0]} on the PATH\n")


if __name__ == "__main__":
    main()
