"""The marketplace's small tables: genders, cities, merchants, branches."""

import numpy as np
import pyarrow as pa

CITIES = (
    "Cairo", "Alexandria", "Giza", "Port Said", "Suez", "Luxor", "Mansoura", "Tanta",
    "Asyut", "Ismailia", "Fayyum", "Zagazig", "Aswan", "Damietta", "Damanhur", "Minya",
    "Beni Suef", "Qena", "Sohag", "Hurghada",
)  # fmt: skip
MERCHANTS = (
    "Nile Electronics", "Delta Fashion", "Pyramid Sports", "Lotus Pharmacy",
    "Sphinx Books", "Oasis Cafe", "Papyrus Stationery", "Cleo Cosmetics",
    "Horus Optics", "Amber Jewellers", "Corniche Grill", "Felucca Travel",
    "Sultan Sweets", "Citadel Shoes", "Jasmine Flowers", "Karnak Kitchens",
    "Scarab Toys", "Marina Pets", "Sinai Outdoors", "Zamalek Records",
)  # fmt: skip
MERCHANTS_WITH_BRANCH = 14
BRANCHES = 20
# ids of merchants are not in order of those of their branches
_FIRST_MERCHANT = 7


def merchant_of_branch(branches: np.ndarray) -> np.ndarray:
    """Return the merchant ids of branches given by position, from 0."""
    ranks = np.asarray(branches) % MERCHANTS_WITH_BRANCH
    return 1 + (ranks + _FIRST_MERCHANT) % len(MERCHANTS)


def lookups() -> dict[str, pa.Table]:
    """Return the small tables by name, all columns text."""

    def numbered(key: str, values: str, names: tuple[str, ...]) -> pa.Table:
        ids = [str(number) for number in range(1, len(names) + 1)]
        return pa.table({key: ids, values: list(names)})

    owners = tuple(str(owner) for owner in merchant_of_branch(np.arange(BRANCHES)))
    return {
        "genders": numbered("gender_id", "gender_name", ("Male", "Female")),
        "cities": numbered("city_id", "city_name", CITIES),
        "branches": numbered("branch_id", "merchant_id", owners),
        "merchants": numbered("merchant_id", "merchant_name", MERCHANTS),
    }
