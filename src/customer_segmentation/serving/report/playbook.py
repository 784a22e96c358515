"""What to do with each segment, if the playbook is published."""

from customer_segmentation.serving.report.contents import Grid, Section
from customer_segmentation.serving.report.published import PublishedTables

__all__ = ["playbook_section"]

COLUMNS = ("goal", "action", "channel", "offer", "success_measure", "measured_by")


def playbook_section(
    tables: PublishedTables, segmentation: str, segments: list[str]
) -> Section | None:
    """Return the recommended action of each segment; none without a playbook."""
    if not tables.has("segment_playbook"):
        return None
    rows = tables.rows("from segment_playbook")
    named = next(
        (
            name
            for name in ("segment", "segment_name", "rfm_segment")
            if name in rows[0]
        ),
        None,
    )
    if named is None:
        return None
    shown = [
        row
        for row in rows
        if row.get("segmentation", segmentation) == segmentation
        and row[named] in segments
    ]
    columns = [column for column in COLUMNS if column in rows[0]]
    if not shown or not columns:
        return None
    return Section(
        f"playbook-{segmentation}",
        "Recommended actions",
        ["Each action is a hypothesis: measure it against a hold-out group."],
        parts=[
            Grid(
                "Actions by segment",
                ["segment", *(column.replace("_", " ") for column in columns)],
                [
                    [str(row[named]), *(str(row[column] or "") for column in columns)]
                    for row in sorted(shown, key=lambda row: str(row[named]))
                ],
            )
        ],
    )
