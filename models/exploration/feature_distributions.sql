with

customer_features as (

    select * from {{ ref('int_exploration__customer_features') }}

),

unpivoted as (

    select
        source_system,
        feature,
        value

    from customer_features
    unpivot include nulls (value for feature in (
        {{ explored_features() | join(', ') }}
    ))

),

-- many customers share a value, so that little is left to sort
values_counted as (

    select
        source_system,
        feature,
        value,
        count(*) as customers

    from unpivoted
    group by source_system, feature, value

),

ordered as (

    select
        *,
        sum(customers) over (
            partition by source_system, feature
            order by value asc nulls last
            rows between unbounded preceding and current row
        ) as customers_up_to,
        sum(case when value is not null then customers else 0 end) over (
            partition by source_system, feature
        ) as known_customers

    from values_counted

),

-- a decile is a value that a customer has
summed as (

    select
        source_system,
        feature,
        cast(sum(case when value is not null then customers else 0 end) as bigint)
            as customers,
        cast(sum(case when value is null then customers else 0 end) as bigint)
            as missing,
        {{ exact_sum('value * customers') }} as total,
        {{ exact_sum('value * value * customers') }} as squares,
        min(value) as minimum,
        {% for decile in range(1, 10) -%}
        min(
            case
                when 10 * customers_up_to >= {{ decile }} * known_customers then value
            end
        ) as decile_{{ decile }},
        {% endfor -%}
        max(value) as maximum

    from ordered
    group by source_system, feature

),

feature_distributions as (

    select
        source_system,
        feature,
        customers,
        missing,
        {{ ratio('total', 'customers') }} as mean,
        cast({{ standard_deviation('customers', 'total', 'squares') }} as double)
            as standard_deviation,
        minimum,
        {% for decile in range(1, 10) -%}
        decile_{{ decile }},
        {% endfor -%}
        maximum

    from summed

)

select * from feature_distributions
