"""Buy-till-you-die: customers who buy at their own rate until they are gone."""

from customer_segmentation.prediction.btyd.bg_nbd import BgNbd
from customer_segmentation.prediction.btyd.gamma_gamma import GammaGamma
from customer_segmentation.prediction.btyd.pareto_nbd import ParetoNbd

__all__ = ["BgNbd", "GammaGamma", "ParetoNbd"]
