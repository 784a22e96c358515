"""How well campaigns are aimed: by expected uplift, and by value."""

from customer_segmentation.serving.targeting import compare_targeting


def model(dbt, session):
    """Draw the Qini curves, with intervals of their coefficients."""
    cells = dbt.ref("int_serving__uplift_cells")
    return compare_targeting(cells)
