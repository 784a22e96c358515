"""Conformed models from a mapping: rename, make keys, and say what is a purchase."""

from customer_segmentation.source_systems.declare import (
    RELATIONS,
    STATUSES,
    RelationMapping,
    SourceMapping,
)
from customer_segmentation.source_systems.staging_sql import first_line, wrapped

__all__ = ["core_sql"]

# types of what the source system does not record, as `conformed_columns` has them
TYPES = {
    "joined_at": "timestamp",
    "age": "int",
    "annual_income": "decimal(18, 2)",
    "spending_score": "int",
    "amount": "decimal(18, 2)",
}


def core_sql(mapping: SourceMapping, relation: RelationMapping) -> str:
    """Return the conformed model of a relation."""
    table = relation.table
    steps = [
        f"{table} as (\n\n    select * from "
        f"{{{{ ref('stg_{mapping.name}__{table}') }}}}\n    where is_usable\n\n)"
    ]
    source = table
    if relation.first_by:
        source = "rows_ordered"
        steps.append(_ordered(mapping, relation))
    if relation.name == "transactions":
        steps.append(_classified(relation, source))
        columns, source = _transaction_columns(mapping, relation), "classified"
    else:
        columns = _customer_columns(mapping, relation)
    chosen = ",\n        ".join(columns)
    where = "    where key_row = 1\n" if source == "rows_ordered" else ""
    steps.append(
        f"conformed as (\n\n    select\n        {chosen}\n\n    from {source}\n"
        f"{where}\n)"
    )
    body = ",\n\n".join(steps)
    return f"{first_line(mapping)}with\n\n{body}\n\nselect * from conformed\n"


def _value(relation: RelationMapping, column: str) -> str:
    expression = relation.columns.get(column)
    if expression is None:
        return f"cast(null as {TYPES.get(column, 'string')}) as {column}"
    if expression == column:
        return column
    return f"{wrapped(expression, ' ' * 8)} as {column}"


def _key(mapping: SourceMapping, expression: str, key: str) -> str:
    if not expression.isidentifier():
        expression = f"({expression})"
    quote = '"' if "'" in expression else "'"
    call = f"entity_key('{mapping.name}', {quote}{expression}{quote})"
    return f"{{{{ {call} }}}} as {key}"


def _customer_columns(mapping: SourceMapping, relation: RelationMapping) -> list[str]:
    return [
        _key(mapping, relation.columns["customer_id"], "customer_key"),
        f"'{mapping.name}' as source_system",
        *(_value(relation, column) for column in RELATIONS["customers"]),
    ]


def _ordered(mapping: SourceMapping, relation: RelationMapping) -> str:
    """Return the CTE that numbers the rows of each key, the first of which counts."""
    key = relation.columns[RELATIONS[relation.name][0]]
    table = mapping.table(relation.table)
    order = ", ".join(f"{one} asc" for one in (relation.first_by, *table.key))
    return (
        "-- the first row of a key counts, which later rows cannot change\n"
        "rows_ordered as (\n\n    select\n        *,\n        row_number() over (\n"
        f"            partition by {key}\n            order by {order}\n"
        f"        ) as key_row\n\n    from {table.name}\n"
        f"    where {key} is not null\n\n)"
    )


def _classified(relation: RelationMapping, source: str) -> str:
    """Say what each transaction is; without a status, its amount tells."""
    amount = relation.columns.get("amount")
    cases = []
    for word in STATUSES.values():
        words = [f"'{one}'" for one, to in relation.statuses.items() if to == word]
        if words:
            inside = wrapped(", ".join(words), " " * 20)
            status = relation.columns["status"]
            cases.append(
                f"            when lower({status}) in (\n                    {inside}\n"
                f"                )\n                then '{word}'"
            )
    if amount:
        cases.append(f"            when {amount} < 0 then 'returned'")
    body = "\n".join(cases)
    case = f"case\n{body}\n            else 'sold'\n        end" if cases else "'sold'"
    return (
        "-- without a status, the amount tells a return from a sale\n"
        f"classified as (\n\n    select\n        *,\n        {case} as known_status\n\n"
        f"    from {source}\n"
        + ("    where key_row = 1\n" if source == "rows_ordered" else "")
        + "\n)"
    )


def _transaction_columns(
    mapping: SourceMapping, relation: RelationMapping
) -> list[str]:
    columns, name = relation.columns, mapping.name
    branch = columns.get("branch_id")
    amount, time = columns.get("amount"), columns["transacted_at"]
    money = "cast(null as decimal(18, 2)) as amount"
    if amount:
        # money that was given back is negative, however the export writes it
        money = (
            f"case known_status\n            when 'sold' then {amount}\n"
            f"            when 'returned' then -abs({amount})\n        end as amount"
        )
    return [
        _key(mapping, columns["transaction_id"], "transaction_key"),
        f"'{name}' as source_system",
        _key(mapping, columns["customer_id"], "customer_key"),
        _key(mapping, branch, "branch_key")
        if branch
        else "cast(null as string) as branch_key",
        _value(relation, "transacted_at"),
        f"case when known_status = 'sold' then {time} end as completed_at",
        "known_status as status",
        _value(relation, "coupon_code"),
        money,
    ]
