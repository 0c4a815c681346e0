#!/bin/sh
# Installs the Debian packages that the tests use and this machine lacks, one line below for each; where nothing lacks, nothing
# is asked of apt-get. Where nothing can be installed this says what is missing and goes on: the tests that need it are skipped,
# or fail with CI=true. PYTHON is the Python to make the environment with, if one is there.
set -u

missing=''
need() { # PACKAGE COMMAND...: the package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo 'int main(void) { return 0; }' >"$scratch/main.c"

need gcc command -v gcc
need g++ command -v g++
need cmake command -v cmake
need libc6-dev gcc -fsanitize=address,undefined -o "$scratch/main" "$scratch/main.c"
if [ -n "${PYTHON:-}" ]; then
    need "$("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" "$PYTHON" -c 'import ensurepip, venv'
else
    need python3-venv false
fi
# Fuzzing: libFuzzer comes with the sanitizers of clang's version.
need "clang libclang-rt-14-dev" sh -c 'for clang in clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19 clang-20 clang-21; do
    echo "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }" |
        $clang -fsanitize=fuzzer,address -xc - -o "$0" && exit 0; done; exit 1' "$scratch/fuzz"
# The chips: simulators, the Arm compiler and the Arduino core. The AVR compiler comes from PyPI.
need libsimavr-dev test -e /usr/include/simavr/sim_avr.h
need libelf-dev test -e /usr/include/libelf.h
need simavr command -v simavr
need avrdude command -v avrdude
need arduino-core-avr test -d /usr/share/arduino/hardware/arduino/avr/cores
need gcc-arm-none-eabi command -v arm-none-eabi-gcc
need libnewlib-arm-none-eabi test -d /usr/lib/arm-none-eabi/newlib -o -e /usr/include/newlib/string.h
need qemu-system-arm command -v qemu-system-arm
# The paper's figures: a circuit and images.
need ngspice command -v ngspice
need dataset-fashion-mnist test -d /usr/share/datasets/fashion-mnist

# The live page, which is left to make test-all and make test-browser.
[ -z "${BROWSER:-}" ] || need chromium sh -c 'command -v chromium || command -v chromium-browser || command -v google-chrome'

[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
    echo "missing, by the names of Debian's packages:$missing" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=''
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "missing: ask an administrator for apt-get install$missing" >&2
    exit 0
fi
# shellcheck disable=SC2086  # both are lists of words
$as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing ||
    echo "could not install$missing" >&2
exit 0
