"""The vars of ``vars.yml``, which ``--vars`` overrides: the schema and the check.

A subject that reads a declaration, such as a segmentation, checks what is inside it.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from customer_segmentation.settings.values import (
    Setting,
    anything,
    choice,
    mistakes,
    number,
    shown,
    unknown,
    whole_number,
    whole_numbers,
)

__all__ = ["VARIABLES", "check_variables"]

# lands like a source system, but is none
CAMPAIGNS = "campaigns"
CATALOG = "source_system_catalog"


def check_variables(
    values: Mapping[str, Any], thresholds: Collection[str] = ()
) -> list[str]:
    """Return a sentence for each mistake in the vars of a build.

    Parameters
    ----------
    values : mapping
        All vars by name: those of ``vars.yml``, overridden by ``--vars``.
    thresholds : collection of str
        Names of ``seeds/thresholds.csv``, which are no vars.

    Examples
    --------
    >>> check_variables({"history_months": 0})
    ['The var history_months is 0: give a whole number of at least 1.']
    """
    known = [setting.name for setting in VARIABLES]
    found = []
    for name, value in values.items():
        if name in thresholds:
            found.append(
                f"The var {name} is a threshold: give {shown(value)} in"
                " seeds/thresholds.csv, not as a var."
            )
        elif name not in known:
            problem = unknown(name, known)
            found.append(f"The var {shown(name)}, given as {shown(value)}, {problem}")
    return found + mistakes("The var", VARIABLES, values)


def _source_systems(value: object, values: Mapping[str, Any]) -> str | None:
    if isinstance(value, str):
        return (
            f'is the text "{value}", and must be a list. Write --vars'
            f" '{{source_systems: [{value}]}}', or a list in vars.yml"
        )
    known = ", ".join(_known(values))
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(one, str) for one in value)
    ):
        return f"is {shown(value)}: give a list of at least one of {known}"
    twice = sorted({str(one) for one in value if value.count(one) > 1})
    if twice:
        return f"is {shown(value)}, with {', '.join(twice)} twice: name each once"
    return _names_unknown(value, values)


def _source_schemas(value: object, values: Mapping[str, Any]) -> str | None:
    if not isinstance(value, Mapping) or not all(
        isinstance(schema, str) and schema for schema in value.values()
    ):
        return (
            f"is {shown(value)}: give the schema of each source system, as in"
            " {marketplace: raw_shop}, or {} for none"
        )
    return _names_unknown([name for name in value if name != CAMPAIGNS], values)


def _as_of_date(value: object, values: Mapping[str, Any]) -> str | None:
    dates = value if isinstance(value, Mapping) else {"": value}
    for name, one in dates.items():
        if (one is None and not name) or _is_date(one):
            continue
        of_name = f" for {name}" if name else ""
        return (
            f"is {shown(one)}{of_name}: give a date such as '2011-09-01', a date for"
            " each source system as in {online_retail: '2011-09-01'}, or null"
        )
    return _names_unknown([name for name in dates if name], values)


def _is_date(value: object) -> bool:
    if isinstance(value, str) and len(value) == len("2011-09-01"):
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
        return True
    # YAML reads 2011-09-01 without quotes as a date
    return isinstance(value, date) and not isinstance(value, datetime)


def _names_unknown(names: Collection[object], values: Mapping[str, Any]) -> str | None:
    catalog = _known(values)
    wrong = [shown(name) for name in names if name not in catalog]
    if not wrong:
        return None
    return (
        f"names {', '.join(wrong)}, which is not in the var {CATALOG} (vars.yml). Use"
        f" {', '.join(catalog)}, or add an entry to the catalog"
    )


def _known(values: Mapping[str, Any]) -> list[str]:
    """Return the source systems of the catalog, which may be anything itself."""
    catalog = values.get(CATALOG)
    return [str(name) for name in catalog] if isinstance(catalog, Mapping) else []


def _catalog(value: object, values: Mapping[str, Any]) -> str | None:
    if not isinstance(value, Mapping) or not value:
        return f"is {shown(value)}: give the raw tables of each source system"
    for name, entry in value.items():
        for key in ("raw_tables", "relations"):
            listed = entry.get(key) if isinstance(entry, Mapping) else None
            if not isinstance(listed, list) or not all(
                isinstance(one, str) for one in listed
            ):
                return (
                    f"has {shown(listed)} as the {key} of {name}: give a list of"
                    " names, as in [customers]"
                )
    return None


VARIABLES = (
    Setting(
        "source_systems",
        "the source systems of the build",
        "all three",
        _source_systems,
    ),
    Setting(
        CATALOG,
        "the raw tables and relations of each source system",
        "see `vars.yml`",
        _catalog,
    ),
    Setting(
        "source_schemas",
        "schemas of raw tables that are in the warehouse already",
        "none",
        _source_schemas,
    ),
    Setting(
        "as_of_date",
        "one date, or one per source system; events on or after it are ignored",
        "the day after the last event",
        _as_of_date,
    ),
    Setting(
        "rfm_cut_points",
        "`refit`, or `frozen` to keep the cut points of the last build",
        "`refit`",
        choice("refit", "frozen"),
    ),
    Setting(
        "segmentations",
        "the [segmentations](segmentations.md)",
        "the six of `vars.yml`",
        anything,
    ),
    Setting(
        "segmentation_resamples",
        "bootstrap resamples of the search",
        "20",
        whole_number(2),
    ),
    Setting(
        "segmentation_null_draws",
        "null draws of each kind; below 99 no verdict is `strong`, and only gaps make"
        " one `weak`",
        "99",
        whole_number(1),
    ),
    Setting(
        "segmentation_refits",
        "bootstrap refits of each choice, for `confidence`",
        "100",
        whole_number(2),
    ),
    Setting(
        "prediction_horizon_days",
        "how many days ahead",
        "365",
        whole_number(1),
    ),
    Setting(
        "prediction_backtest_horizon_days",
        "shorter horizons, for tests and short records",
        "`[90, 180]`",
        whole_numbers(1, "numbers of days, as in [90, 180]"),
    ),
    Setting(
        "prediction_history_days",
        "days of purchases that a training date needs before it",
        "180",
        whole_number(1),
    ),
    Setting(
        "prediction_burn_in_days",
        "models of new customers do not learn from first purchases in these first days"
        " on record",
        "90",
        whole_number(0),
    ),
    Setting(
        "prediction_test_days",
        "days of first purchases in a test",
        "90",
        whole_number(1),
    ),
    Setting(
        "prediction_new_customer_days",
        "how long a customer is new",
        "7",
        whole_number(1),
    ),
    Setting(
        "prediction_segment_days",
        "the segment of a new customer is predicted for this many days after the first"
        " purchase",
        "90",
        whole_number(1),
    ),
    Setting(
        "prediction_interest_days",
        "the category of the most spend is predicted for this many days; models are"
        " chosen on half of it, too",
        "70",
        whole_number(2),
    ),
    Setting(
        "product_categories",
        "the source systems whose products get [categories](products.md), and how many",
        "`online_retail`",
        anything,
    ),
    Setting(
        "prediction_segment_targets",
        "segmentations to predict",
        "`rfm` and two others",
        anything,
    ),
    Setting(
        "prediction_folds",
        "folds of a cross-validation",
        "5",
        whole_number(2),
    ),
    Setting(
        "prediction_seeds",
        "random seeds of the classifiers in their test",
        "2",
        whole_number(1),
    ),
    Setting(
        "history_months",
        "months that the first build of the RFM history goes back",
        "24",
        whole_number(1),
    ),
    Setting(
        "lifecycle_horizon_days",
        "how many days ahead a purchase counts as a return in the lifecycle",
        "90",
        whole_number(1),
    ),
    Setting(
        "campaigns",
        "the [campaigns](serving.md#campaigns) to plan",
        "the four of `vars.yml`",
        anything,
    ),
    Setting(
        "campaign_holdout_share",
        "the share of an audience that is held out",
        "0.1",
        number(0, 0.5, "write a share of the audience from 0 to 0.5, such as 0.1"),
    ),
    Setting(
        "campaign_window_days",
        "purchases count until this many days after the last message",
        "30",
        whole_number(1),
    ),
    Setting(
        "campaign_history_days",
        "days before a campaign with which it is compared",
        "365",
        whole_number(1),
    ),
    Setting(
        "training_customers",
        "buyers of a source system that models learn from",
        "40,000",
        whole_number(1),
    ),
)
