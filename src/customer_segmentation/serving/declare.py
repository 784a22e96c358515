"""Declare: the campaigns of ``vars.yml``, checked before a build."""

import re
from collections.abc import Mapping
from typing import Any

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.declared_mapping import RFM

__all__ = ["check_campaigns"]

KEYS = ("source_system", "segmentation", "action")
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
ACTION = re.compile(r"[a-z][a-z0-9_]*")


def check_campaigns(variables: Mapping[str, Any]) -> None:
    """Check the var ``campaigns``.

    Parameters
    ----------
    variables : mapping
        ``campaigns`` (None declares none), ``segmentations``, ``source_systems`` and
        ``source_system_catalog``.

    Raises
    ------
    InputError
        At the first mistake; names the campaign and a remedy.

    Examples
    --------
    >>> shop = {"source_systems": ["shop"], "source_system_catalog": {"shop": {}}}
    >>> plan = {"source_system": "shop", "segmentation": "rfm", "action": "reward"}
    >>> check_campaigns(shop | {"campaigns": {"spring": plan}, "segmentations": {}})
    """
    campaigns = variables["campaigns"] or {}
    if not isinstance(campaigns, Mapping):
        raise InputError(
            f"The var campaigns is {campaigns!r}, and must be a mapping of names to"
            " declarations, as in vars.yml."
        )
    for name, campaign in campaigns.items():
        if problem := _mistake(name, campaign, variables):
            raise InputError(
                f"The campaign {name} of the var campaigns (vars.yml) {problem}"
            )


def _mistake(name: object, campaign: Any, variables: Mapping[str, Any]) -> str:
    """Return what is wrong with a declaration, as the end of a sentence."""
    if not NAME.fullmatch(str(name)):
        return (
            "needs another name: small letters, digits and underscores, at most 63, a"
            " letter first."
        )
    if (
        not isinstance(campaign, Mapping)
        or set(campaign) != set(KEYS)
        or not all(isinstance(value, str) for value in campaign.values())
    ):
        return f"needs the keys {', '.join(KEYS)}, each with a text."
    source_system, segmentation, action = (campaign[key] for key in KEYS)
    catalog = variables["source_system_catalog"]
    if source_system not in catalog:
        known = ", ".join(catalog)
        return f"names the source system {source_system}: use {known}."
    declared = (variables["segmentations"] or {}).get(segmentation, {})
    if (
        source_system in variables["source_systems"]
        and segmentation != RFM
        and declared.get("source_system") != source_system
    ):
        return (
            f"names the segmentation {segmentation}, which is not declared for"
            f" {source_system}: use rfm or one of the var segmentations."
        )
    if not ACTION.fullmatch(action):
        return (
            f"names the action {action}: use an action of seeds/segment_playbook.csv."
        )
    return ""
