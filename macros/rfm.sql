{% macro is_between_cut_points(value, cut_points) -%}
    {#- Whether a value lies above the lower and up to the upper bound of a row of
        `rfm_cut_points`. A bound of null is no bound; a value of null lies nowhere. Two
        plain comparisons let the engine join by the keys, and not row by row. -#}
    {{ value }} > coalesce({{ cut_points }}.above, -9999999999999999.99)
    and {{ value }} <= coalesce({{ cut_points }}.up_to, 9999999999999999.99)
{%- endmacro %}


{% macro cut_points_of(buyers, keys) %}

    {#- CTEs that end with `cut_points`: for each group of customers with a purchase the
        values that separate the scores. Each is a value that customers have, so equal
        values stay together. -#}

measures_unpivoted as (

    {% for measure in ('recency_days', 'frequency', 'monetary') -%}
    select
        {{ keys | join(', ') }},
        '{{ measure }}' as measure,
        cast({{ measure }} as decimal(18, 2)) as measured

    from {{ buyers }}
    {{ 'where monetary is not null' if loop.last else 'union all' }}
    {% endfor %}
),

cut_into_fifths as (

    select
        {{ keys | join(', ') }},
        measure,
        {% for fifth in range(1, 5) -%}
        percentile_disc(0.{{ 2 * fifth }}) within group (order by measured)
            as cut_{{ fifth }}{{ ',' if not loop.last }}
        {% endfor %}
    from measures_unpivoted
    group by {{ keys | join(', ') }}, measure

),

fifths as (

    {% for fifth in range(1, 6) -%}
    select {{ fifth }} as fifth
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- from the lowest values to the highest; fewer days since the last purchase are better
cut_points as (

    select
        {% for key in keys -%}
        cut_into_fifths.{{ key }},
        {% endfor -%}
        cut_into_fifths.measure,
        cast(
            case
                when cut_into_fifths.measure = 'recency_days' then 6 - fifths.fifth
                else fifths.fifth
            end as int
        ) as score,
        {% for bound, first in (('above', 2), ('up_to', 1)) -%}
        cast(
            case fifths.fifth
                {% for cut in range(1, 5) -%}
                when {{ first + cut - 1 }} then cut_into_fifths.cut_{{ cut }}
                {% endfor %}
            end as decimal(18, 2)
        ) as {{ bound }}{{ ',' if not loop.last }}
        {% endfor %}
    from cut_into_fifths
    cross join fifths

)

{%- endmacro %}


{% macro segments_by_scores(customers, cut_points, keys, columns) %}

    {#- CTEs that end with `named`: customers with the three scores by the cut points of
        their group, and the RFM segment. Customers without a purchase are not scored. The
        caller imports `rfm_segments`. -#}

scored as (

    select
        {% for column in columns -%}
        {{ customers }}.{{ column }},
        {% endfor -%}
        recency.score as recency_score,
        frequency.score as frequency_score,
        monetary.score as monetary_score

    from {{ customers }}
    {% for alias, measure in (
        ('recency', 'recency_days'), ('frequency', 'frequency'), ('monetary', 'monetary')
    ) -%}
    left join {{ cut_points }} as {{ alias }}
        on
            {% for key in keys -%}
            {{ customers }}.{{ key }} = {{ alias }}.{{ key }} and
            {% endfor -%}
            {{ alias }}.measure = '{{ measure }}' and
            {{ is_between_cut_points(
                'case when ' ~ customers ~ '.frequency > 0 then '
                ~ customers ~ '.' ~ measure ~ ' end',
                alias
            ) }}
    {% endfor %}
),

-- the grid names every pair of scores; customers without a purchase count as 0 and 0
named as (

    select
        {% for column in columns -%}
        scored.{{ column }},
        {% endfor -%}
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        rfm_segments.rfm_segment

    from scored
    left join rfm_segments
        on
            coalesce(scored.recency_score, 0) between
            rfm_segments.recency_score_from and rfm_segments.recency_score_to
            and coalesce(scored.frequency_score, 0) between
            rfm_segments.frequency_score_from and rfm_segments.frequency_score_to

)

{%- endmacro %}
