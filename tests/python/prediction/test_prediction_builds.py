"""Predictions of the sample and of real data, through whole builds."""

import duckdb
import pandas as pd
import pytest
from dbt_project import SCORED, Sample, Scored, Warehouse, differences

from customer_segmentation.simulation.online_retail_catalogue import FAMILIES

REGISTRY = "main_training.int_prediction__models"
# how a table says what a row is about, the first that it has
ABOUT_THE_MALL = {
    "source_system": "source_system = 'mall'",
    "customer_key": "starts_with(customer_key, 'mall:')",
    "segmentation": "starts_with(segmentation, 'mall_')",
}


def without_the_mall(warehouse: Warehouse) -> dict[str, str]:
    """Return for each table a query of the rows that are not about the mall."""
    columns = warehouse.rows(
        "select schema_name || '.' || table_name, list(column_name)"
        " from duckdb_columns() where not internal group by all"
    )
    queries = {}
    for table, names in columns:
        if table in warehouse.tables() and "mall" not in table:
            found = [rows for name, rows in ABOUT_THE_MALL.items() if name in names]
            is_about = f"coalesce({found[0]}, false)" if found else "false"
            queries[table] = f"select * from {{}} where not {is_about}"
    return queries


def test_every_buyer_has_one_prediction(sample: Sample) -> None:
    [counts] = sample.rows(
        "select count(*), count(distinct customer_key), count(return_probability),"
        " count(expected_purchases), count(expected_spend), count(spend_low),"
        " count(spend_median), count(spend_high), count(model_id)"
        " from customer_predictions"
    )
    buyers = sample.value(
        "select count(distinct customer_key) from transactions where is_completed"
    )
    assert counts == (buyers,) * len(counts)
    strangers = (
        "select count(*) from customer_predictions"
        " anti join (from transactions where is_completed) using (customer_key)"
    )
    assert sample.value(strangers) == 0


def test_every_buyer_of_a_shop_with_products_has_ranked_interests(
    sample: Sample,
) -> None:
    [counts] = sample.rows(
        "select count(distinct customer_key), sum(is_top_interest::int) / 3,"
        " count(*) / 5, count(category_name) / 5, min(source_system),"
        " max(source_system) from customer_interests"
    )
    buyers = sample.value(
        "select count(distinct customer_key) from transactions"
        " where is_completed and source_system = 'online_retail'"
    )
    assert counts == (*(buyers,) * 4, "online_retail", "online_retail")
    unordered = sample.rows(
        """
        select customer_key from customer_interests group by customer_key
        having sum(probability) > 1.000001
            or list(interest_rank order by probability desc, category_id)
            <> [1, 2, 3, 4, 5]
        """
    )
    assert unordered == []


def test_planted_tastes_come_out_as_interests(sample: Sample) -> None:
    """Regular buyers and wholesalers keep the taste that the simulation gave them."""
    nouns = pd.DataFrame(
        [(noun, family.name) for family in FAMILIES for noun in family.nouns],
        columns=["noun", "family"],
    )
    truth = pd.read_csv(sample.truth / "online_retail_customers.csv")
    with duckdb.connect(sample.database, read_only=True) as connection:
        connection.register("nouns", nouns)
        connection.register("truth", truth)
        [[customers, hits, of_popular]] = connection.execute(
            """
            with families as (
                select product_key, arg_max(family, length(noun)) as family
                from products join nouns on ends_with(upper(product_name), noun)
                group by product_key
            ),
            of_family as (
                select family, mode(category_id) as category_id
                from product_categories join families using (product_key)
                group by family
            ),
            popular as (
                select category_id from customer_interests where is_top_interest
                group by category_id order by count(*) desc, category_id limit 3
            ),
            interests as (
                select customer_key, list(category_id) as categories
                from customer_interests where is_top_interest group by customer_key
            )
            select
                count(*),
                avg(list_contains(categories, category_id)::int),
                avg((category_id in (from popular))::int)
            from interests join truth
                on customer_key = 'online_retail:' || truth.customer_id
            join of_family on favourite_family = family
            where segment in ('wholesaler', 'regular') and favourite_share > 0.4
            """
        ).fetchall()
    assert customers > 300
    assert hits > 0.65
    assert hits > of_popular + 0.1


def test_predictions_are_consistent(sample: Sample) -> None:
    inconsistent = sample.rows(
        """
        from customer_predictions
        where return_probability not between 0 and 1
            or expected_purchases < return_probability
            or expected_spend < 0
            or spend_low > spend_median
            or spend_median > spend_high
            or spend_low < 0
        """
    )
    assert inconsistent == []


@pytest.mark.parametrize("source_system", ["marketplace", "online_retail"])
def test_new_customers_are_predicted_with_their_segment(
    sample: Sample, source_system: str
) -> None:
    [(customers, with_probabilities, named, unnamed)] = sample.rows(
        f"""
        select
            count(*),
            count(distinct customer_segment_probabilities.customer_key),
            count(*) filter (
                where predicted_segment is not null
                and predicted_segment_probability is not null
                and predicted_segmentation is not null
            ),
            count(*) filter (
                where predicted_segment is null and predicted_segmentation is null
                and predicted_segment_probability is null
            )
        from customer_predictions left join customer_segment_probabilities
            on customer_predictions.customer_key
                = customer_segment_probabilities.customer_key
            and segment_rank = 1 and segmentation = 'rfm'
        where population = 'new'
            and customer_predictions.source_system = '{source_system}'
        """
    )
    assert customers == with_probabilities == named + unnamed > 0
    late = (
        "select count(*) from customer_predictions"
        " join main_training.int_features__first_purchases using (customer_key)"
        " where (population = 'new') <> is_new"
    )
    assert sample.value(late) == 0
    made_for = "source_system || '.next_purchases.' || population || '.%'"
    models = sample.rows(
        f"select distinct population, model_id like {made_for}"
        f" from customer_predictions where source_system = '{source_system}'"
    )
    assert sorted(models) == [("existing", True), ("new", True)]


def test_a_segment_is_named_only_if_its_model_beats_the_majority(
    sample: Sample,
) -> None:
    gains = sample.rows(
        """
        select
            withheld_reason, count(segment_name) > 0, min(difference_low) > 0
        from customer_segment_predictions
        join model_registry using (model_id)
        join model_evaluations
            on model_registry.source_system = model_evaluations.source_system
            and model_registry.task = model_evaluations.task
            and model_registry.algorithm = model_evaluations.algorithm
        where split = 'selection' and metric = 'accuracy'
        group by model_id, withheld_reason
        """
    )
    assert gains
    for reason, is_named, is_better in gains:
        assert is_named == (reason is None)
        assert is_better == (reason != "no_better_than_majority")


def test_every_champion_is_compared_with_its_baseline(sample: Sample) -> None:
    """Which the data test that fails the build relies on."""
    of_test = "where split = 'test' and task = 'next_purchases'"
    champions = sample.rows(
        "select source_system, population, metric, difference_low, difference_high"
        f" from model_evaluations {of_test} and is_selection_metric and is_champion"
        " and horizon_days = 365"
    )
    assert len(champions) == 2 * 2 * 4
    assert all(low <= high for *_, low, high in champions)
    itself = sample.rows(
        "select distinct metric, difference_low, difference_high"
        f" from model_evaluations {of_test} and is_baseline and value is not null"
    )
    # the extremes of tenths have no interval
    extremes = {"interval_coverage_min", "interval_coverage_max"}
    assert {name for name, low, _ in itself if low is None} == extremes
    assert all(
        (low, high) == (0, 0) for name, low, high in itself if name not in extremes
    )


def test_test_splits_were_not_chosen_on(sample: Sample) -> None:
    [(latest_choice, first_test)] = sample.rows(
        """
        select
            max(test_to_date + horizon_days) filter (where split = 'selection'),
            min(test_from_date) filter (where split = 'test' and horizon_days = 365)
        from main_private.int_features__splits
        where task = 'next_purchases' and source_system = 'marketplace'
            and population = 'existing'
        """
    )
    assert latest_choice <= first_test


def test_scoring_fits_nothing_and_says_the_same(sample: Sample, scored: Scored) -> None:
    for table in (*SCORED, REGISTRY):
        assert sample.value(f"select count(*) from {table}") > 0
    # nothing is predicted of the mall, where somebody has come
    assert sample.tables() == scored.tables()
    assert not differences(sample, scored, without_the_mall(sample))


@pytest.mark.parametrize(
    ("population", "customers", "mean_spend", "share_with_spend"),
    [("existing", 4_314, 1_512.8, 0.623), ("new", 2_600, 906.3, 0.652)],
)
def test_outcomes_of_both_years_are_those_of_the_evidence(
    both_years: Warehouse,
    population: str,
    customers: int,
    mean_spend: float,
    share_with_spend: float,
) -> None:
    [found] = both_years.rows(
        f"""
        select count(*), avg(spend)::double, avg((spend > 0)::int)
        from main_training.int_prediction__outcomes
        where population = '{population}' and horizon_days = 365
        """
    )
    assert found[0] == customers
    assert found[1] == pytest.approx(mean_spend, abs=0.1)
    assert found[2] == pytest.approx(share_with_spend, abs=0.0006)
