"""Versions of what fits: our own code, and the libraries that it calls.

A fit is kept as long as nothing has changed that determines it. Code is part of that:
after a bug is mended, everything that the bug was in is fitted again.
"""

import ast
import hashlib
import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files

__all__ = ["code_hash", "versions_of"]

PACKAGE = __package__
# what reads tables, words messages or shares work: the rows that it gives are hashed
# themselves
NOT_FOLLOWED = frozenset({"engine", "errors", "parallel", "progress", "versions"})
# a change of Python, NumPy or SciPy moves a result as one of scikit-learn does
LIBRARIES = ("numpy", "scipy", "scikit-learn")


def versions_of(module: str) -> dict[str, str]:
    """Return the versions of everything that a module's results depend on.

    Parameters
    ----------
    module : str
        Name of a module of this package, as ``__name__`` has it.

    Returns
    -------
    dict of str to str
        Python without its patch, NumPy, SciPy, scikit-learn, and ``code``: the hash of
        the module and of all our modules that it imports.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    libraries = {name: version(name) for name in LIBRARIES}
    return {"python": python, **libraries, "code": code_hash(module)}


@cache
def code_hash(module: str) -> str:
    """Return a hash of the code of a module, and of our modules that it imports.

    Comments, docstrings and the layout do not count. Nor do the modules that fit
    nothing: those that read tables, word messages or share work.

    Parameters
    ----------
    module : str
        Name of a module of this package, as ``__name__`` has it.

    Examples
    --------
    >>> len(code_hash("customer_segmentation.matching"))
    8
    """
    known: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in known or name.split(".")[1] in NOT_FOLLOWED:
            continue
        tree = ast.parse(_source(name) or "")
        known[name] = without_words(tree)
        waiting += _imported(tree)
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(known):
        digest.update(f"{name}\x1f{known[name]}\x1f".encode())
    return digest.hexdigest()[:8]


def without_words(tree: ast.Module) -> str:
    r"""Return the code of a module without comments, docstrings and its layout.

    Examples
    --------
    >>> without_words(ast.parse('def half(x):\n    "Words."\n    return x/2  # more'))
    'def half(x):\n    return x / 2'
    """
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef():
                if ast.get_docstring(node, clean=False) is not None:
                    # a body must not be empty
                    node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _imported(tree: ast.Module) -> Iterator[str]:
    """Return our modules that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            for one in node.names:
                inner = f"{node.module}.{one.name}"
                # a package is not read for one of its modules
                yield inner if _source(inner) is not None else str(node.module)


def _source(module: str) -> str | None:
    """Return the source of a module of ours, None if there is none of this name."""
    place = files(PACKAGE)
    *parents, last = module.split(".")[1:]
    for parent in parents:
        place = place / parent
    for file in (place / f"{last}.py", place / last / "__init__.py"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return None
