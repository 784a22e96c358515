"""Buy-till-you-die models: customers buy at their own rate until they leave."""

from customer_segmentation.prediction.btyd.bg_nbd import BgNbd
from customer_segmentation.prediction.btyd.gamma_gamma import GammaGamma
from customer_segmentation.prediction.btyd.pareto_nbd import ParetoNbd

__all__ = ["BgNbd", "GammaGamma", "ParetoNbd"]
