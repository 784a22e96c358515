"""Settings: vars and environment variables, checked and documented by one schema.

values       what a value may be, and what would do instead
variables    the vars of ``vars.yml`` and ``--vars``
environment  the environment variables
database     the file that DuckDB must open
files        YAML that names a key twice, and thresholds

dbt asks for the check before it parses the project: see ``dbt_customer_segmentation``.
"""

from customer_segmentation.settings.database import check_database
from customer_segmentation.settings.environment import ENVIRONMENT, check_environment
from customer_segmentation.settings.files import (
    check_repeated_keys,
    check_thresholds,
    read_thresholds,
    read_vars,
)
from customer_segmentation.settings.values import Setting
from customer_segmentation.settings.variables import VARIABLES, check_variables

__all__ = [
    "ENVIRONMENT",
    "VARIABLES",
    "Setting",
    "check_database",
    "check_environment",
    "check_repeated_keys",
    "check_thresholds",
    "check_variables",
    "read_thresholds",
    "read_vars",
]
