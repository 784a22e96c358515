"""What is published where no model tells more than a baseline."""

import pytest
from small_tables import Tables


def base_rates(returned: str) -> tuple[Tables, list[float]]:
    """Return the tables of a shop, and the base rates that are published.

    Parameters
    ----------
    returned : str
        SQL that says which new customers return.
    """
    tables = Tables(count=200)
    tables.execute(
        f"""
        create or replace table outcomes as
        select outcomes.* replace (
            {returned} as has_returned,
            ({returned})::int as purchases,
            case when {returned} then 3 * basket_value else 0 end as spend
        )
        from outcomes join new using (customer_key)
        where population = 'new'
        """
    )
    tables.execute("delete from splits where task <> 'next_purchases'")
    tables.backtest()
    tables.train()
    tables.score()
    tables.build("return_rates", "intermediate/int_prediction__return_rates.sql")
    rates = tables.frame("select base_rate from return_rates")["base_rate"]
    return tables, rates.tolist()


def test_customers_who_return_at_random_have_the_base_rate() -> None:
    tables, rates = base_rates("ord(md5(customer_key)) % 2 = 0")
    [share] = tables.frame("select avg(has_returned::int) as share from outcomes")[
        "share"
    ]
    assert rates == pytest.approx([share])
    # it is published whatever the champion of the spend says of them
    assert len(tables.frame("from new_scores")) == 8


def test_customers_of_whom_a_model_tells_who_returns_have_its_probabilities() -> None:
    _, rates = base_rates("basket_products > 20")
    assert rates == []
