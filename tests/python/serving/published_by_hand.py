"""A tiny published file, made by hand: a shop with money, one without, one customer."""

from pathlib import Path

import duckdb

SHOP, MEMBERS, EMPTY = "shop", "members", "closed"
CUSTOMERS = 50
MARKUP = "<script>window.hacked = 1</script>"
HOSTILE = [
    f"{MARKUP}</script><img src=x onerror='window.hacked=1'>",
    "Quotes \" ' ` ${1} {{ 7 * 7 }} {% raw %} 👩🏽‍🚀, עברית, العربية",
    "long " * 60,
]
TABLES = """
create table published_tables as select 'customers' as table_name, 50 as row_count,
    'v1' as version, timestamp '2026-01-02 03:04:05' as published_at,
    'b' as build_id, 7 as tests_passed, 1 as tests_warned;
create table source_systems as select * from (values
    ('shop', timestamp '2024-01-05 10:00:00', timestamp '2024-06-20 10:00:00',
        date '2024-06-21', true, true),
    ('members', null, null, null, false, false),
    ('closed', null, null, null, false, false)
) as t(source_system, first_event_at, last_event_at, as_of_date, has_transactions,
    has_amounts);
create table customers as
    select 'shop:' || range as customer_key, 'shop' as source_system,
        1 + range % 5 as lifetime_purchases,
        (10.5 * (1 + range))::decimal(18, 2) as lifetime_spent
    from range(50)
    union all select 'members:1', 'members', null, null;
create table transactions as
    select customer_key, 'shop' as source_system,
        timestamp '2024-01-05' + to_days((3 * range)::int) as completed_at,
        true as is_completed, 20.25::decimal(18, 2) as amount
    from range(55) join customers on customer_key = 'shop:' || range % 50;
create table transaction_lines as select 'shop' as source_system from range(9);
create table products as select 'shop' as source_system from range(3);
create table rejected_records as select 'shop' as source_system,
    'orders' as source_table, 'missing_key, exact_duplicate' as reasons from range(4);
create table customer_rfm as
    select customer_key, source_system, lifetime_purchases as frequency,
        lifetime_spent as monetary, 1 + range % 5 as recency_score,
        1 + (range // 10)::int as frequency_score, rfm_segment
    from range(50) join customers on customer_key = 'shop:' || range
    join (values (0, 'Champions'), (1, 'At Risk')) as t(half, rfm_segment)
        on half = range % 2;
create table rfm_segments as select * from (values
    ('Champions', 4, 5, 1, 5, 'Bought recently'),
    ('At Risk', 1, 3, 1, 5, 'Bought long ago')
) as t(rfm_segment, recency_score_from, recency_score_to, frequency_score_from,
    frequency_score_to, description);
create table segments as
    select 'shop_value' as segmentation, 'shop' as source_system, id as segment_id,
        name as segment_name, 16::bigint as customers, 0.32 as share,
        100.5::decimal(18, 2) as revenue, 0.4 as revenue_share
    from names
    union all select 'member_kinds', 'members', 1, 'Everybody', 1, 1.0, null, null;
create table customer_segments as
    select customer_key, source_system, 'shop_value' as segmentation, segment_id,
        coalesce(name, 'Not segmented') as segment_name
    from (
        select *, case when split_part(customer_key, ':', 2)::int < 48
            then 1 + split_part(customer_key, ':', 2)::int % 3 end as segment_id
        from customers where source_system = 'shop'
    ) left join names on id = segment_id
    union all select customer_key, source_system, 'member_kinds', 1, 'Everybody'
    from customers where source_system = 'members';
create table cluster_choices as select * from (values
    ('shop_value', 'shop', 'kmeans', 'k=3', 3, 'none', false, 48, 2, 0.9, 0.8, 0.31,
        0.4, 0.6, 1.0),
    ('member_kinds', 'members', 'kmeans', 'k=1', 1, 'strong', true, 1, 0, null, null,
        null, null, null, null)
) as t(segmentation, source_system, algorithm, setting, n_clusters, verdict, is_pinned,
    customers, excluded_customers, stability_mean, stability_min, silhouette,
    structure_p_value, correlation_p_value, gap_p_value);
create table cluster_candidates as
    select 'shop_value' as segmentation, algorithm, 'k=' || range as setting,
        range::int as n_clusters, 100.0 / range as inertia, 0.1 * range as silhouette,
        1 - 0.05 * range as stability_mean
    from range(2, 6), (values ('kmeans'), ('ward')) as t(algorithm);
create table customer_clusters as
    select customer_key, segmentation, segment_id, 0.5 as confidence,
        sin(hash(customer_key)) as pca_x, cos(hash(customer_key)) as pca_y
    from customer_segments where segmentation = 'shop_value';
create table customer_features as
    select customer_key, 10 as recency_days, 2 as frequency, 3.5 as monetary,
        null::int as age, null::int as annual_income, null::int as spending_score
    from customers;
create table segment_profiles as
    select 'shop_value' as segmentation, id as segment_id, feature,
        feature != 'age' as is_declared, 2.5 as mean, 2.0 as population_mean,
        1.25 as lift, (id - 2.1) * length(feature) / 8 as difference,
        1 as importance_rank
    from names, (values ('recency_days'), ('monetary'), ('age'), ('city=<b>"x"</b>'))
        as t(feature);
create table segment_rules as select 'shop_value' as segmentation, id as segment_id,
    1 as rule_number, 'recency_days <= 30 and city = "<b>"' as rule,
    12 as customers, 0.9 as precision, 0.8 as coverage, 0.93 as fidelity from names;
create table customer_predictions as select customer_key, source_system,
    'existing' as population, 90 as horizon_days, 1.5 as expected_purchases,
    12.5 as expected_spend from customers where source_system = 'shop';
create table model_evaluations as select 'shop' as source_system,
    if(metric = 'hit_at_3', 'interests', 'next_purchases') as task,
    'existing' as population, 'test' as split,
    90 as horizon_days, false as is_cross_validated, algorithm,
    algorithm not in ('blend', 'category_choice') as is_baseline,
    algorithm in ('blend', 'category_choice') as is_champion, metric,
    metric <> 'spend_mae' as is_higher_better, 50 as customers, value,
    value - 0.1 as low,
    value + 0.1 as high
    from (values ('blend', 'spend_spearman', 0.6), ('last_year', 'spend_spearman', 0.5),
        ('blend', 'spend_mae', 12.0), ('last_year', 'spend_mae', 10.0),
        ('category_choice', 'hit_at_3', 0.7), ('popularity', 'hit_at_3', 0.5),
        ('own_history', 'hit_at_3', 0.6), ('season_popularity', 'hit_at_3', 0.55),
        ('blend', 'interval_coverage_above_zero', 0.95),
        ('blend', 'interval_score', 1234.0),
        ('blend', 'interval_coverage', 0.5)) as t(algorithm, metric, value);
create table prediction_calibration as select 'shop' as source_system,
    'next_purchases' as task, 'existing' as population, 'test' as split,
    90 as horizon_days, is_champion, not is_champion as is_baseline,
    'spend' as outcome, range::int as decile, 5 as customers,
    10.0 * range as predicted, 11.0 * range as actual
    from range(1, 11), (values (true), (false)) as t(is_champion);
create table prediction_drift as select 'shop' as source_system,
    'existing' as population, 'expected_spend' as feature, true as is_prediction,
    0.9 as psi, 'significant' as change;
"""
# tables that only later versions of the project publish
LATER = """
create table segment_migrations as select 'shop' as source_system,
    'rfm' as segmentation, date '2024-06-01' as month_date,
    date '2024-05-01' as from_month_date, one as from_segment, other as to_segment,
    7 as customers, 0.5 as share_of_from_segment
    from (values ('Champions'), ('At Risk')) as t(one),
        (values ('Champions'), ('At Risk')) as u(other);
create table customer_cohorts as select 'shop' as source_system,
    date '2024-01-01' + to_months(c.range::int) as cohort_month_date,
    m.range::int as months_since, true as is_complete, 10 as customers,
    4 as active_customers, 0.4 as retention
    from range(3) as c, range(4) as m;
create table customer_lifecycle as select source_system, 'active' as lifecycle_stage,
    0.7 as return_probability from customers where source_system = 'shop';
create table product_categories as select 'shop' as source_system,
    'Candles <i>' as category_name from range(3);
create table customer_interests as select source_system, 'Candles <i>' as category_name,
    1 as interest_rank from customers where source_system = 'shop';
create table product_affinities as select 'shop' as source_system,
    'all' as segmentation, 'product' as entity, 'a' as entity_key,
    '<b>Cup</b>' as entity_name, 'b' as other_entity_key, 'Saucer' as other_entity_name,
    5 as baskets_together,
    1.5 as expected_baskets, 3.3 as lift, 0.001 as p_value;
create table top_entities as select 'shop' as source_system, 'product' as entity,
    range as entity_rank, 'key' as entity_key, '<b>' || range as entity_name,
    0.1 as revenue_share, 0.1 as purchase_share, 3 as purchases,
    10.5 as revenue from range(1, 4);
create table segment_actions as select * from (values
    ('rfm', 'shop', null, 'Champions', null, 25, '25 customers, 50 % of all.'),
    ('shop_value', 'shop', 1, 'Big <b>', 'none', 16, '16 customers.'),
    ('member_kinds', 'members', 1, 'Everybody', 'strong', 1, '<b>1 customer</b>')
) as t(segmentation, source_system, segment_id, segment_name, verdict, customers,
    persona), (values ('Keep them', 'win_back', 'email', 'A voucher', 'Spend'))
    as u(goal, action, channel, offer, success_measure);
create table campaign_results as select *, 'shop' as source_system from (values
    ('spring', 'spend', 'more', null, 900, 100, 1.5, 0.5, 2.5, 1350.0, 0.2),
    ((select name from names where id = 1), 'purchase_rate', 'cannot tell',
        'no_holdout', 900, 0, null, null, null, null, null)
) as t(campaign, measure, verdict, reason, treated_customers, control_customers,
    incremental, incremental_low, incremental_high, total_incremental, variance_saved);
create table campaign_uplift as select *, 'shop' as source_system from (values
    ('spring', 'better', null, 1000, 0.02, 0.005, 0.015, 0.01, 0.02),
    ((select name from names where id = 1), 'cannot tell', 'too_little_to_learn_from',
        0, null, null, null, null, null)
) as t(campaign, verdict, reason, customers, uplift_qini, value_qini, qini_difference,
    qini_difference_low, qini_difference_high);
create table campaign_uplift_tenths as select 'spring' as campaign,
    'shop' as source_system, range as tenth, 0.02 * range as uplift_gain,
    0.01 * range as value_gain, 0.015 * range as random_gain from range(1, 11);
create table campaign_plans as select 'summer' as campaign, 'shop' as source_system,
    'rfm' as segmentation, 'win_back' as action, 'planned' as status,
    90 as treated_customers, 10 as control_customers, 0.2 as baseline_rate,
    0.125 as detectable_rate;
"""


def make_published(file: Path, *, later: bool = True) -> Path:
    """Write the file; without ``later``, that of an older version of the project."""
    with duckdb.connect(file) as connection:
        connection.execute("create temp table names (id int, name varchar)")
        connection.executemany(
            "insert into names values (?, ?)", list(enumerate(HOSTILE, start=1))
        )
        connection.execute(TABLES)
        if later:
            connection.execute(LATER)
    return file
