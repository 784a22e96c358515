"""What to do about each segment: hypotheses, where the segments exist."""

from typing import Any

from customer_segmentation.serving.report.contents import Grid, Section
from customer_segmentation.serving.report.published import PublishedTables

__all__ = ["playbook_section"]

RFM = "rfm"
COLUMNS = ("segment", "who they are", "goal", "what to do", "how success is measured")


def playbook_section(
    tables: PublishedTables, source: str, segmentation: str
) -> Section | None:
    """Return the actions for the segments of a segmentation, or of RFM.

    None if the file has no actions. Segments that are not shown to exist get none.
    """
    if not tables.has("segment_actions"):
        return None
    rows = tables.rows(
        "select segment_name, persona, goal, action, channel, offer, success_measure,"
        " verdict from segment_actions where source_system = ? and segmentation = ?"
        " order by customers desc, segment_name",
        *(source, segmentation),
    )
    if not rows:
        return None
    name = f"{segmentation}_playbook" if segmentation == RFM else "playbook"
    title = "What to do about each segment"
    if any(row["verdict"] == "none" for row in rows):
        return Section(
            name,
            title,
            [
                f"No action is recommended: the verdict on {segmentation} is none, so "
                "its customers do not fall into groups."
            ],
        )
    return Section(
        name,
        title if segmentation != RFM else "What to do about each RFM segment",
        [
            "These are hypotheses, not findings. A campaign with a hold-out tests one: "
            "see campaign_audiences, and campaign_results after it ran."
        ],
        parts=[Grid("Actions by segment", COLUMNS, [_cells(row) for row in rows])],
    )


def _cells(row: dict[str, Any]) -> list[str]:
    action = str(row["action"]).replace("_", " ").capitalize()
    return [
        row["segment_name"],
        row["persona"],
        row["goal"],
        f"{action} by {row['channel']}: {row['offer']}",
        row["success_measure"],
    ]
