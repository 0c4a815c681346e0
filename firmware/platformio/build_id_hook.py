"""Compiles the build id of the board's sources into src/turn.c (firmware/build_id.py); PlatformIO runs this before a build."""

import re
import runpy

from SCons.Script import Import

Import("env")
env = globals()["env"]

FIRMWARE = env.subst("$PROJECT_SRC_DIR")
FOLDER = re.compile(r"\+<boards/(\w+)/?>")

if folder := FOLDER.search(str(env.GetProjectOption("build_src_filter", ""))):
    build_id = runpy.run_path(f"{FIRMWARE}/build_id.py")["build_id"](folder[1])

    def with_build_id(environment, node):
        """Compiles one file with the build id, so that a new id makes no other file be compiled again."""
        return environment.Object(node, CPPDEFINES=[*environment.get("CPPDEFINES", []), ("DEVICE_BUILD", f"0x{build_id}u")])

    env.AddBuildMiddleware(with_build_id, "*/src/turn.c")
