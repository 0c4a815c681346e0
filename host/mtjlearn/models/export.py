"""Where the programs that a model is exported to are written."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from mtjlearn.models.export_arduino import arduino_sketch
from mtjlearn.models.export_c import INFERENCE, c_header, inference_part
from mtjlearn.models.export_micropython import micropython_module
from mtjlearn.models.export_onnx import onnx_model
from mtjlearn.models.model import Model, ModelError
from mtjlearn.models.names import program_name
from mtjlearn.models.storage import write_model
from mtjlearn.runs.storage import describe, write_atomic

Kind = Literal["model", "c", "arduino", "micropython", "onnx"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_SUFFIXES: dict[Kind, str] = {"model": ".npz", "c": ".h", "micropython": ".py", "arduino": "", "onnx": ".onnx"}


def export(model: Model, kind: Kind, out: Path | None, name: str | None) -> list[Path]:
    """Writes a model as a program, or as a model's file.

    Args:
        model: what is written.
        kind: ``model``, a C header with the one that it includes next to it, the folder of an Arduino sketch, a module for
            MicroPython, or ONNX.
        out: the file; of a sketch, the folder that its folder is made in. None: here, with the model's name.
        name: prefix of names in the program, and the sketch's name; None: from the data's.

    Returns:
        The files that were written.

    Raises:
        ModelError: the name cannot be used, a file cannot be written, or ONNX lacks its package.
    """
    chosen = program_name(model, name)
    if out is not None and not out.name and kind != "arduino":
        raise ModelError(f"{out} is a directory; name a file with --out")
    if kind == "arduino":
        folder = (out or Path()) / chosen
        files = {folder / file: text.encode() for file, text in arduino_sketch(model, chosen).items()}
        _make(folder)
    else:
        path = out or Path(chosen + _SUFFIXES[kind])
        if kind == "model":
            path = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
            write_model(model, path)
            return [path, path.with_suffix(".toml")]
        if kind == "c" and path.name.lower() == INFERENCE:
            raise ModelError(f"{path} is the name of what the header includes; name another file with --out")
        files = _files(model, kind, path, chosen)
    for path, content in files.items():
        try:
            write_atomic(path, content)
        except OSError as error:
            raise ModelError(describe(path, error)) from None
    return list(files)


def _files(model: Model, kind: Kind, path: Path, name: str) -> dict[Path, bytes]:
    if kind == "onnx":
        return {path: onnx_model(model)}
    if kind == "micropython":
        return {path: micropython_module(model).encode()}
    return {path: c_header(model, name).encode(), path.with_name(INFERENCE): inference_part().encode()}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(describe(folder, error)) from None
