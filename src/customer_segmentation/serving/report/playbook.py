"""What to do with each segment, if the playbook is published."""

from customer_segmentation.serving.report.contents import Grid, Section
from customer_segmentation.serving.report.published import PublishedTables

__all__ = ["playbook_section"]

COLUMNS = ("segment_name", "persona", "goal", "action", "channel", "offer")
MEASURED = "success_measure"


def playbook_section(
    tables: PublishedTables, source: str, segmentation: str
) -> Section | None:
    """Return the recommended action of each segment; none without a playbook."""
    if not tables.has("segment_actions"):
        return None
    columns = (*COLUMNS, MEASURED)
    rows = tables.rows(
        f"select {', '.join(columns)} from segment_actions"
        " where source_system = ? and segmentation = ? order by segment_id nulls first,"
        " segment_name",
        *(source, segmentation),
    )
    if not rows:
        return None
    titles = ["segment", "who they are", *COLUMNS[2:], "success is measured by"]
    return Section(
        "playbook",
        "Recommended actions",
        ["Each action is a hypothesis: measure it against a hold-out group."],
        parts=[
            Grid(
                "Actions by segment",
                titles,
                [[str(row[name] or "") for name in columns] for row in rows],
            )
        ],
    )
