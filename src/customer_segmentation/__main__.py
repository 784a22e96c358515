"""``python -m customer_segmentation`` is the ``customer-segmentation`` command."""

from customer_segmentation.cli import main

main()
