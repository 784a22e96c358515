"""``python -m customer_segmentation`` runs the ``customer-segmentation`` command."""

from customer_segmentation.cli import main

main()
