"""The raw tables of each source system, with their columns and the headers of files.

Mappings in ``source_systems/`` declare them; this module has those that are written by
hand. Landing uses them to find the columns of a file. The var
``source_system_catalog`` registers the source systems, and the dbt sources in
``models/staging`` list the same tables and columns; a test compares all three.
"""

from pathlib import Path

from customer_segmentation.source_systems.declare import read_mappings
from customer_segmentation.source_systems.tables import (
    RawColumn,
    RawTable,
    SourceSystem,
    normalized_header,
)

__all__ = [
    "CAMPAIGNS",
    "LANDED_BY_NAME",
    "MARKETPLACE",
    "ONLINE_RETAIL",
    "SOURCE_SYSTEMS",
    "RawColumn",
    "RawTable",
    "SourceSystem",
    "normalized_header",
]


def project_folder() -> Path:
    """Return the folder of the dbt project: this one, or where the package stands."""
    here = Path.cwd()
    return here if (here / "dbt_project.yml").is_file() else Path(__file__).parents[2]


def _columns(*names: str) -> tuple[RawColumn, ...]:
    return tuple(RawColumn(name) for name in names)


def _date(name: str) -> RawColumn:
    return RawColumn(name, is_date=True)


MARKETPLACE = SourceSystem(
    "marketplace",
    (
        RawTable(
            "customers",
            (
                RawColumn("customer_id"),
                _date("join_date"),
                *_columns("city_id", "gender_id"),
            ),
            append_key=("customer_id",),
        ),
        RawTable("genders", _columns("gender_id", "gender_name"), ("gender_id",)),
        RawTable("cities", _columns("city_id", "city_name"), ("city_id",)),
        RawTable(
            "transactions",
            (
                *_columns("transaction_id", "customer_id"),
                _date("transaction_date"),
                *_columns("transaction_status", "coupon_name"),
                _date("burn_date"),
                RawColumn("branch_id"),
                RawColumn("amount", is_required=False),
            ),
            append_key=("transaction_id",),
        ),
        RawTable("branches", _columns("branch_id", "merchant_id"), ("branch_id",)),
        RawTable(
            "merchants", _columns("merchant_id", "merchant_name"), ("merchant_id",)
        ),
    ),
)

ONLINE_RETAIL = SourceSystem(
    "online_retail",
    (
        RawTable(
            "invoice_lines",
            (
                RawColumn("invoice", ("InvoiceNo",)),
                RawColumn("stock_code"),
                RawColumn("description"),
                RawColumn("quantity"),
                _date("invoice_date"),
                RawColumn("price", ("UnitPrice",)),
                RawColumn("customer_id"),
                RawColumn("country"),
            ),
            append_key=("invoice",),
        ),
    ),
)

# these two are written by hand; mappings declare the others
SOURCE_SYSTEMS = {
    MARKETPLACE.name: MARKETPLACE,
    ONLINE_RETAIL.name: ONLINE_RETAIL,
    **{
        name: mapping.source_system
        for name, mapping in read_mappings(project_folder()).items()
    },
}
# what was sent to whom: it lands like a source system, but a project can do without it
CAMPAIGNS = SourceSystem(
    "campaigns",
    (
        RawTable(
            "sends",
            (
                *_columns("campaign", "source_system", "customer_id"),
                _date("sent_at"),
                RawColumn("is_treated", is_required=False),
            ),
            append_key=("campaign", "source_system", "customer_id"),
        ),
    ),
)

LANDED_BY_NAME = SOURCE_SYSTEMS | {CAMPAIGNS.name: CAMPAIGNS}
