"""The file of a model: model.npz, and next to it model.toml, which is its description for people.

model.npz holds plain arrays, nothing pickled: ``weights_0``, ``weights_1`` ... of the layers, ``matrix_0`` ... of the decorrelated
ones, and ``description``, the bytes of the text that is in model.toml too. Only model.npz is read back.
"""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray

from mtjlearn.datasets import Category, Scaling
from mtjlearn.models.model import Integers, Model, ModelError
from mtjlearn.network import DEFAULT_SLOPES, Loss, Network, NetworkError, WeightFormat, slope_exponent
from mtjlearn.npz import NpzError, read_npz
from mtjlearn.runs.storage import describe, write_atomic

FILE = "model.npz"
DESCRIPTION = "model.toml"
FORMAT = 1
WITH_CATEGORIES = 2
"""The format of models with categories, which earlier versions would predict wrongly with."""
WITH_SLOPE = 3
"""The format of models whose hidden units have another slope than 1/128: the same holds of them."""
_MOST_BYTES = 2**24
"""Of all arrays of a file, unpacked: many times what the largest network of a device has."""
_MOST_DESCRIPTION = 2**21
_AGAIN = "make it again from its run with: mtjlearn export RUN --to model"


def write_model(model: Model, path: Path) -> None:
    """Writes a model to a file, and its description next to it, with the suffix .toml.

    Raises:
        ModelError: it cannot be written.
    """
    text = tomli_w.dumps(_description(model)).encode()
    arrays: dict[str, Any] = {f"weights_{layer}": rows for layer, rows in enumerate(model.weights)}
    arrays |= {f"matrix_{number}": matrix for number, matrix in enumerate(model.matrices)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, description=np.frombuffer(text, dtype=np.uint8))
    for place, data in ((path, buffer.getvalue()), (path.with_suffix(".toml"), text)):
        try:
            write_atomic(place, data)
        except OSError as error:
            raise ModelError(describe(place, error)) from None


def read_model(path: Path) -> Model:
    """Reads a model.

    Args:
        path: the file, its description, or a folder that holds a model.npz.

    Raises:
        ModelError: there is none, it is damaged, or of a later version.
    """
    path = path / FILE if path.is_dir() else path.with_suffix(".npz") if path.suffix == ".toml" else path
    try:
        content = read_npz(path, _MOST_BYTES)
    except FileNotFoundError:
        raise ModelError(f"there is no model {path}; name a run (mtjlearn runs lists them), a model.npz, or a checkpoint") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from None
    except NpzError as error:
        raise ModelError(f"{path} is damaged or not a model ({error}); {_AGAIN}") from None
    described = content.get("description")
    if described is None or described.dtype != np.uint8 or described.ndim != 1 or described.size > _MOST_DESCRIPTION:
        raise ModelError(f"{path} is not a model: it holds no description; {_AGAIN}")
    try:
        description = tomllib.loads(described.tobytes().decode())
        found = description.get("format")
        if found not in (FORMAT, WITH_CATEGORIES, WITH_SLOPE):
            raise ModelError(f"it has format {found}, and this mtjlearn reads up to {WITH_SLOPE}; use the one that wrote it")
        return _model(description, content)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, NetworkError) as error:
        raise ModelError(f"{path} is damaged ({type(error).__name__}: {error}); {_AGAIN}") from None


def _description(model: Model) -> dict[str, Any]:
    network = model.network
    outputs: dict[str, Any] = {"targets": list(model.targets)}
    if model.classes is not None:
        outputs["classes"] = list(model.classes)
    if model.target_scaling is not None:
        outputs |= _scaling_table(model.target_scaling)
    inputs: dict[str, Any] = {"names": list(model.inputs), **_scaling_table(model.input_scaling)}
    if model.categories:
        inputs["categories"] = [
            {"column": category.column, "values": list(category.values), "first": category.first} for category in model.categories
        ]
    return {
        "format": _format(model),
        "network": {
            "sizes": list(network.sizes),
            "loss": network.loss.name.lower(),
            "weight_format": network.weight_format.name.lower(),
            "decorrelate": list(network.decorrelate),
            "rule": network.rule,
            "slope": 2.0**-network.shift,
        },
        "inputs": inputs,
        "outputs": outputs,
        "origin": dict(model.origin),
    }


def _format(model: Model) -> int:
    if model.network.shift != DEFAULT_SLOPES["anp"]:
        return WITH_SLOPE
    return WITH_CATEGORIES if model.categories else FORMAT


def _scaling_table(scaling: Scaling) -> dict[str, list[float]]:
    return {"mean": scaling.mean.tolist(), "std": scaling.std.tolist()}


def _model(description: Mapping[str, Any], content: Mapping[str, NDArray[Any]]) -> Model:
    written, inputs, outputs = (description[name] for name in ("network", "inputs", "outputs"))
    flags = tuple(flag is True for flag in written["decorrelate"])
    network = Network(
        tuple(_whole(size) for size in written["sizes"]),
        loss=Loss[written["loss"].upper()],
        weight_format=WeightFormat[written["weight_format"].upper()],
        decorrelate=flags,
        decorrelation_rate=2**-12 if any(flags) else 0.0,
        rule=written.get("rule", "anp"),
        slope=slope_exponent(written.get("slope", 2.0 ** -DEFAULT_SLOPES["anp"])),
    )
    classes = outputs.get("classes")
    return Model(
        network,
        tuple(_array(content, f"weights_{layer}") for layer in range(network.layers)),
        tuple(_array(content, f"matrix_{number}") for number in range(sum(flags))),
        _names(inputs["names"]),
        _scaling(inputs),
        _names(outputs["targets"]),
        None if classes is None else _names(classes),
        _scaling(outputs) if "mean" in outputs else None,
        {str(name): value for name, value in description["origin"].items() if isinstance(value, str | int)},
        tuple(_category(entry) for entry in inputs.get("categories", [])),
    )


def _array(content: Mapping[str, NDArray[Any]], name: str) -> Integers:
    if name not in content:
        raise ModelError(f"the array {name} is missing; {_AGAIN}")
    array = content[name]
    if array.ndim != 2 or array.dtype.kind != "i" or not array.size:
        raise ModelError(f"the array {name} is not a table of integers; {_AGAIN}")
    return array


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("names are not a list of texts")
    return tuple(values)


def _category(entry: Mapping[str, Any]) -> Category:
    column, first = entry["column"], _whole(entry["first"])
    if not isinstance(column, str) or first < 0:
        raise TypeError("a category is not a column's")
    return Category(column, _names(entry["values"]), first)


def _scaling(table: Mapping[str, Any]) -> Scaling:
    return Scaling(np.array(table["mean"], dtype=np.float64), np.array(table["std"], dtype=np.float64))


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a size is not a whole number")
    return value
