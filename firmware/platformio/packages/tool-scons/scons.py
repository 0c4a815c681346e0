"""Entry point that PlatformIO runs as its build tool: the scons installed next to PlatformIO."""

from SCons.Script.Main import main

if __name__ == "__main__":
    main()
