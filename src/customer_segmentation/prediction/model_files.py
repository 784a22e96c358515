"""Fitted models as bytes that are safe to load: skops files, never pickle.

A skops file is a zip archive of arrays and of a tree of types with their states. The
types are compared with two lists before anything is built: the list stored beside the
file, and the list in this module.
"""

import hashlib
import importlib
import io
import json
import zipfile
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import skops.io

from customer_segmentation.errors import InputError

OWN_PACKAGE = "customer_segmentation.prediction."

# Types that skops does not trust by itself, and that candidates consist of: a test fits
# every candidate, and the list must be what they need. Trees hold the positions of
# their nodes, which scikit-learn does not check: a person who may write to the registry
# can crash a prediction, but cannot run code.
ALLOWED_TYPES = frozenset(
    {
        "numpy.dtype",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
    }
)
SCHEMA = "schema.json"
# whether equal nodes of these kinds are one object depends on the interpreter
WITHOUT_IDENTITY = ("FunctionNode", "JsonNode", "TypeNode")
EPOCH = (1980, 1, 1, 0, 0, 0)


def dump_model(model: object) -> bytes:
    """Return a model as a compressed skops file, the same bytes for the same model.

    The files of skops differ from run to run: ids and file names are memory addresses,
    the archive holds the time, sets have the order of their hashes, and the gaps
    between the fields of tree nodes hold arbitrary memory. Here ids are numbers in
    order of appearance, files are named by the hash of their content, sets are sorted,
    gaps are zeros, and there is no time.

    Parameters
    ----------
    model : object
        Made of estimators of scikit-learn and of classes of this package with plain
        attributes (no ``__slots__``): arrays, numbers, texts, estimators.

    Raises
    ------
    InputError
        If the model is made of something that could not be loaded again.
    """
    name = type(model).__name__
    try:
        written = skops.io.dumps(model)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{name}: cannot be written as a skops file: {error}; use plain attributes "
            "only"
        ) from error
    if refused := _not_allowed(trusted_types(written)):
        raise InputError(
            f"{name}: holds {', '.join(refused)}, which may not be loaded; remove it, "
            "or review it and add it to ALLOWED_TYPES in model_files.py"
        )
    return _reproducible(written)


def trusted_types(data: bytes) -> tuple[str, ...]:
    """Return the types in a skops file that skops does not trust by itself, sorted.

    Nothing in the file is built.

    Raises
    ------
    InputError
        If the bytes are not a skops file, or are damaged.
    """
    try:
        return tuple(skops.io.get_untrusted_types(data=data))
    # the exception depends on where the file is damaged
    except Exception as error:
        raise InputError(
            f"the file cannot be read ({error}); train the model again"
        ) from error


def read_model(data: bytes, listed: Collection[str]) -> Any:
    """Build the model in a skops file, if every type in it is on both lists.

    Parameters
    ----------
    data : bytes
        From ``dump_model``.
    listed : collection of str
        What ``trusted_types`` returned when it was written. The list is stored beside
        the file, so it is not enough: types must also be in ``ALLOWED_TYPES``, or
        classes that this package defines.

    Raises
    ------
    InputError
        If a type is not on both lists, or the file is damaged.
    """
    types = trusted_types(data)
    if unlisted := [name for name in types if name not in listed]:
        raise InputError(
            f"the file holds {', '.join(unlisted)}, not among its trusted types; it is "
            "not the file that was registered: find out who changed it"
        )
    if refused := _not_allowed(types):
        raise InputError(
            f"the file holds {', '.join(refused)}, which may not be loaded; train the "
            "model again"
        )
    try:
        return skops.io.loads(data, trusted=types)
    except Exception as error:
        raise InputError(
            f"the model cannot be built ({error}); train it again"
        ) from error


def _not_allowed(types: tuple[str, ...]) -> list[str]:
    return [
        name for name in types if name not in ALLOWED_TYPES and not _is_own_class(name)
    ]


def _is_own_class(name: str) -> bool:
    """Return whether this package defines the class; importing it is not enough."""
    module, _, own = name.rpartition(".")
    if not module.startswith(OWN_PACKAGE):
        return False
    try:
        found = getattr(importlib.import_module(module), own, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__ == module


def _reproducible(written: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        files = {
            name: _without_gaps(name, archive.read(name)) for name in archive.namelist()
        }
    schema = json.loads(files.pop(SCHEMA))
    names = {
        name: f"{hashlib.sha256(content).hexdigest()}.{name.rpartition('.')[2]}"
        for name, content in files.items()
    }
    for node in _nodes(schema):
        if "file" in node:
            node["file"] = names[node["file"]]
    _sort_sets(schema)
    _number(schema)
    contents = {names[name]: content for name, content in files.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            _write(archive, name, contents[name])
        _write(archive, SCHEMA, json.dumps(schema).encode())
    return buffer.getvalue()


def _without_gaps(name: str, content: bytes) -> bytes:
    """Fill the gaps between the fields of a structured array with zeros."""
    if not name.endswith(".npy"):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    filled = np.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        filled[field] = array[field]
    buffer = io.BytesIO()
    np.save(buffer, filled, allow_pickle=False)
    return buffer.getvalue()


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    archive.writestr(member, content)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Return every node, parents first; other dictionaries may hold nodes."""
    if isinstance(tree, dict):
        if "__loader__" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _sort_sets(schema: dict[str, Any]) -> None:
    # the innermost first: parents are sorted by their children
    for node in reversed(list(_nodes(schema))):
        if node["__loader__"] == "SetNode":
            node["content"].sort(key=_text_without_ids)


def _text_without_ids(tree: Any) -> str:
    copy = json.loads(json.dumps(tree))
    for node in _nodes(copy):
        node.pop("__id__", None)
    return json.dumps(copy)


def _number(schema: dict[str, Any]) -> None:
    numbers: dict[int, int] = {}
    for node in _nodes(schema):
        found = node.pop("__id__", None)
        if found is not None and node["__loader__"] not in WITHOUT_IDENTITY:
            # skops reads 0 as no id
            node["__id__"] = numbers.setdefault(found, len(numbers) + 1)
