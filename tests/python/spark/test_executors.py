"""The executors need the Python and the packages of this process."""

import json
import re
from dataclasses import replace
from importlib import metadata

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

from programs import run_python
from pyspark import cloudpickle
from pyspark.errors import PySparkRuntimeError

from customer_segmentation.errors import InputError
from customer_segmentation.spark.executors import (
    MODULES,
    Installation,
    compare_installations,
    explain_failure,
    reporter,
)

pytestmark = pytest.mark.spark

HERE = Installation(
    host="here",
    python="/here/python",
    versions={"customer-segmentation": "0.1.0", "scikit-learn": "1.9.1"},
)
THERE = replace(HERE, host="worker", python="/there/python")


def test_equal_installations_pass() -> None:
    compare_installations([HERE, THERE], HERE)


def test_a_missing_package_of_the_executors_is_named() -> None:
    broken = replace(THERE, broken={"skops": "No module named 'skops'"})
    with pytest.raises(
        InputError,
        match=r"/there/python on worker\) cannot import skops \(No module named .*"
        r"install requirements-spark.txt and customer-segmentation there",
    ):
        compare_installations([HERE, broken], HERE)


def test_a_package_of_another_version_is_named() -> None:
    versions = {**HERE.versions, "customer-segmentation": "0.0.9"}
    with pytest.raises(InputError, match=r"customer-segmentation 0\.0\.9 \(here 0\.1"):
        compare_installations([THERE, replace(THERE, versions=versions)], HERE)


def test_another_version_of_python_is_named() -> None:
    error = PySparkRuntimeError(
        errorClass="PYTHON_VERSION_MISMATCH",
        messageParameters={"worker_version": "3.12", "driver_version": "3.11"},
    )
    text = f"An exception was thrown from the Python worker:\n{error}"
    assert re.match(
        r"the executors' Python is 3\.12, but Python here \(.*\) is 3\.11, .*PYSPARK",
        explain_failure(text),
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            'java.io.IOException: Cannot run program "/gone/python": error=2',
            "the executors have no Python at /gone/python; PYSPARK_PYTHON",
        ),
        (
            "Error from python worker:\nModuleNotFoundError: No module named 'pyspark'",
            "the executors' Python has no pyspark: install requirements-spark.txt",
        ),
        (
            "\n An exception was thrown.\nTraceback:\nValueError: bad magic\n\tat org.",
            "Spark could not run Python on its executors: ValueError: bad magic",
        ),
    ],
)
def test_the_cause_of_a_failure_is_named(error: str, expected: str) -> None:
    assert explain_failure(error).startswith(expected)


def test_an_executor_reports_although_packages_are_missing() -> None:
    code = (
        "import sys\n"
        "sys.modules['customer_segmentation'] = sys.modules['pyarrow'] = None\n"
        "from pyspark import cloudpickle\n"
        "print(cloudpickle.loads(bytes.fromhex(sys.argv[1]))(0))\n"
    )
    missing = {"customer_segmentation": "customer-segmentation", "pyarrow": "pyarrow"}
    modules = missing | {"joblib": "joblib", "numpy": "numpy"}
    pickled = cloudpickle.dumps(reporter(modules)).hex()
    found = Installation(**json.loads(run_python(code, pickled).stdout))
    assert set(found.broken) == set(missing.values())
    assert set(found.versions) == {"joblib", "numpy"}
    with pytest.raises(InputError, match="cannot import customer-segmentation"):
        compare_installations([found], HERE)


def test_all_that_models_import_is_compared() -> None:
    code = (
        "import pkgutil, sys\n"
        "from importlib import import_module\n"
        "from customer_segmentation.spark.executors import MODULES, reporter\n"
        "for package in ('prediction', 'segmentation'):\n"
        "    found = import_module(f'customer_segmentation.{package}')\n"
        "    for one in pkgutil.walk_packages(found.__path__, f'{found.__name__}.'):\n"
        "        import_module(one.name)\n"
        "print(reporter(MODULES)(0))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    report, modules = run_python(code).stdout.splitlines()
    imported = set(modules.split())
    assert "numpy" in imported
    required = {
        re.match(r"[\w.-]+", one)[0]
        for one in metadata.requires("customer-segmentation")
        if "extra ==" not in one
    }
    ours = {
        module
        for module, packages in metadata.packages_distributions().items()
        if required & set(packages)
    }
    assert imported & ours <= set(MODULES)
    # and each of them has a version to compare
    found = Installation(**json.loads(report))
    assert found.broken == {}
    assert set(found.versions) == set(MODULES.values())
