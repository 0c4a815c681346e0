"""Adds the Arduino core to a program: Debian's package arduino-core-avr, the same sources as PlatformIO's package."""

from pathlib import Path

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()

FRAMEWORK = Path("/usr/share/arduino/hardware/arduino/avr")
if not FRAMEWORK.is_dir():
    env.Exit("the Arduino core for AVR is missing; install Debian's arduino-core-avr")
core = str(FRAMEWORK / "cores" / board.get("build.core"))
variant = str(FRAMEWORK / "variants" / board.get("build.variant"))

env.Append(
    CPPDEFINES=["ARDUINO_ARCH_AVR", ("ARDUINO", 10808)],
    CPPPATH=[core, variant],
    LIBSOURCE_DIRS=[str(FRAMEWORK / "libraries")],
)
env.Prepend(LIBS=[env.BuildLibrary("$BUILD_DIR/FrameworkArduino", core)])
