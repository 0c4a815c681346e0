"""``python -m mtjlearn``, for where the command is not on the PATH."""

from __future__ import annotations

from mtjlearn.entry import main

if __name__ == "__main__":
    main("python -m mtjlearn")
