"""The public tables, their keys, and how they are joined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drawing.manifest import Lineage
from drawing.svg import COLOURS, FAINT, INK, PAPER, Drawing

MARGIN = 24
ENTITY, LINE_HEIGHT, HEADER = 226, 17, 26
COLUMN_GAP = 74
# where a table stands; one that is not named here stands in the last column
COLUMNS = (
    (
        *("merchants", "branches", "products", "source_systems", "dates"),
        *("rejected_records", "campaign_sends", "campaign_results"),
        *("campaign_uplift", "campaign_uplift_tenths"),
    ),
    (
        "customer_merchant_shares",
        "transactions",
        "transaction_lines",
        "customers",
        *("campaign_plans", "campaign_audiences", "customer_uplift"),
    ),
    (
        "customer_360",
        "customer_rfm",
        "customer_features",
        "customer_predictions",
        "customer_segment_predictions",
        "customer_segment_probabilities",
        "customer_segments",
        "customer_clusters",
        "customer_lifecycle",
        "customer_rfm_history",
        "customer_segment_history",
    ),
    (
        "model_registry",
        "prediction_drift",
        "segments",
        "segment_profiles",
        "segment_rules",
        "cluster_choices",
        "cluster_candidates",
        "cluster_prototypes",
        "segment_actions",
    ),
    (
        "model_evaluations",
        "prediction_calibration",
        "segment_prediction_confusions",
        "rfm_cut_points",
        *("product_categories", "product_category_choices"),
        *("product_category_terms", "customer_interests"),
    ),
    (
        "segment_migrations",
        "customer_cohorts",
        "rfm_history_months",
        "lifecycle_backtests",
        "product_affinities",
        "monthly_sales",
        "top_entities",
        "revenue_concentration",
        "feature_distributions",
        "feature_correlations",
        "missing_values",
    ),
)
# nearly every table has it: a line for each would hide all others
UNDRAWN = "source_systems"
# totals by month or by feature: to share a month with them is to refer to nothing
TOTALS = {"monthly_sales", "rfm_history_months", "feature_distributions"}
# longer keys tell what was measured, and nothing refers to them
MAX_KEY = 2


@dataclass(frozen=True)
class Entity:
    """A public table: its key, its references, and how many columns it has beside."""

    name: str
    subject: str
    key: tuple[str, ...]
    others: tuple[str, ...]
    more: int
    x: float
    y: float

    @property
    def rows(self) -> tuple[str, ...]:
        """The columns that are shown."""
        return (*self.key, *self.others)

    @property
    def height(self) -> float:
        """Height of the box."""
        return HEADER + LINE_HEIGHT * (len(self.rows) + bool(self.more)) + 8

    def row_y(self, columns: Sequence[str]) -> float:
        """Return the height of the last of some columns."""
        number = max(self.rows.index(column) for column in columns)
        return self.y + HEADER + LINE_HEIGHT * number + 12


def joins(project: Lineage) -> list[tuple[str, tuple[str, ...], str, bool]]:
    """Return table, columns, the table they refer to, and whether a test checks it.

    Beside what relationships tests check, a table refers to another if it has the whole
    key of the other, unless that key refers elsewhere itself, or is that of totals.
    """
    public = {node.name: node for node in project.public()}
    tested = [
        (table, (column,), other, True)
        for table, column, other in project.references
        if table in public and other in public and other != UNDRAWN
    ]
    tested_columns = {(table, columns) for table, columns, _, _ in tested}
    parents = {
        name: project.keys[name]
        for name in public
        if name not in {UNDRAWN, *TOTALS}
        and not any(
            (name, (column,)) in tested_columns for column in project.keys[name]
        )
    }
    found = [
        (child.name, key, parent, False)
        for child in public.values()
        for parent, key in parents.items()
        if parent != child.name
        and len(key) <= MAX_KEY
        and set(key) <= set(child.columns)
        and set(key) != set(project.keys[child.name])
        and (child.name, key) not in tested_columns
    ]
    # the most specific one says it all
    untested = [
        one
        for one in found
        if not any(set(one[1]) < set(other[1]) for other in found if other[0] == one[0])
    ]
    return sorted(tested + untested)


def tables(project: Lineage) -> Drawing:
    """Draw the public tables, their keys, and how they are joined."""
    links = joins(project)
    entities = _entities(project, links)
    drawing = Drawing(
        max(entity.x for entity in entities.values()) + ENTITY + MARGIN,
        max(entity.y + entity.height for entity in entities.values()) + MARGIN,
        "The public tables, their keys, and how they are joined",
    )
    drawing.text(MARGIN, 34, "bold", size=12, bold=True)
    drawing.text(MARGIN + 34, 34, "key", size=12, colour=FAINT)
    drawing.path(f"M{MARGIN + 84} 30h34", colour=INK, width=1.4)
    drawing.text(
        MARGIN + 126, 34, "reference that a test checks", size=12, colour=FAINT
    )
    drawing.path(f"M{MARGIN + 314} 30h34", colour=FAINT, dashes="4 3", width=1.4)
    drawing.text(MARGIN + 356, 34, "columns to join by", size=12, colour=FAINT)
    drawing.text(
        MARGIN + 490,
        34,
        "source_system, in nearly every table, refers to source_systems",
        size=12,
        colour=FAINT,
    )
    for link in links:
        _draw_link(drawing, entities, *link)
    for entity in entities.values():
        _draw_entity(drawing, entity)
    return drawing


def _entities(
    project: Lineage, links: Sequence[tuple[str, tuple[str, ...], str, bool]]
) -> dict[str, Entity]:
    public = {node.name: node for node in project.public()}
    placed = {name for column in COLUMNS for name in column}
    columns = [list(column) for column in COLUMNS]
    columns[-1] += sorted(set(public) - placed)
    entities = {}
    for number, names in enumerate(columns):
        y = 58.0
        for name in names:
            if name not in public:
                continue
            node, key = public[name], project.keys[name]
            others = dict.fromkeys(
                column
                for table, used, _, _ in links
                if table == name
                for column in used
                if column not in key
            )
            entities[name] = Entity(
                name,
                node.subject,
                key,
                tuple(others),
                len(node.columns) - len(key) - len(others),
                MARGIN + number * (ENTITY + COLUMN_GAP),
                y,
            )
            y += entities[name].height + 22
    return entities


def _draw_entity(drawing: Drawing, entity: Entity) -> None:
    colour = COLOURS[entity.subject]
    drawing.box(entity.x, entity.y, ENTITY, entity.height, line=colour)
    drawing.box(entity.x, entity.y, ENTITY, HEADER, fill=colour)
    drawing.text(
        entity.x + 10, entity.y + 18, entity.name, colour=PAPER, bold=True, size=13
    )
    for number, row in enumerate(entity.rows):
        drawing.text(
            entity.x + 10,
            entity.y + HEADER + LINE_HEIGHT * number + 16,
            row,
            size=12,
            bold=row in entity.key,
        )
    if entity.more:
        drawing.text(
            entity.x + 10,
            entity.y + HEADER + LINE_HEIGHT * len(entity.rows) + 16,
            f"{entity.more} more column{'s' if entity.more > 1 else ''}",
            size=12,
            colour=FAINT,
        )


def _draw_link(
    drawing: Drawing,
    entities: Mapping[str, Entity],
    table: str,
    columns: tuple[str, ...],
    other: str,
    is_tested: bool,
) -> None:
    start, end = entities[table], entities[other]
    from_y, to_y = start.row_y(columns), end.y + HEADER / 2
    if start.x == end.x:
        from_x = to_x = start.x
        bend = 18 + abs(to_y - from_y) * 0.08
        first = second = from_x - min(bend, 56)
    else:
        is_left = end.x < start.x
        from_x = start.x if is_left else start.x + ENTITY
        to_x = end.x + ENTITY if is_left else end.x
        first = second = (from_x + to_x) / 2
    drawing.path(
        f"M{from_x:.0f} {from_y:.0f}C{first:.0f} {from_y:.0f} "
        f"{second:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}",
        colour=INK if is_tested else FAINT,
        dashes="" if is_tested else "4 3",
        width=1.2,
        arrow=True,
        opacity=0.75,
    )
