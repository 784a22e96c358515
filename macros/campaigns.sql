{% macro declared_campaigns() %}

    {#- The campaigns of this build: those whose source system is switched on. -#}

    {%- set declared = [] -%}
    {%- for name, campaign in (var('campaigns') or {}).items()
        if campaign.source_system in source_systems() -%}
        {%- do declared.append(dict(campaign, name=name)) -%}
    {%- endfor -%}
    {{- return(declared) -}}

{% endmacro %}


{% macro campaigns() %}

    {#- A row per declared campaign of this build. -#}

    {%- for campaign in declared_campaigns() %}
    select
        '{{ campaign.name }}' as campaign,
        '{{ campaign.source_system }}' as source_system,
        '{{ campaign.segmentation }}' as segmentation,
        '{{ campaign.action }}' as action
    {{ 'union all' if not loop.last }}
    {%- else %}
    {{ no_rows({
        'campaign': 'string',
        'source_system': 'string',
        'segmentation': 'string',
        'action': 'string',
    }) }}
    {%- endfor %}

{% endmacro %}


{% macro level(difference, limit, low, high) %}
    {#- The word for a difference from all customers, in standard deviations. -#}
    case
        when {{ difference }} >= {{ limit }} then '{{ high }}'
        when {{ difference }} <= -{{ limit }} then '{{ low }}'
        when {{ difference }} is not null then 'average'
    end
{%- endmacro %}


{% macro persona() %}
    {#- One sentence on a segment, made of its figures; it leaves out what is not recorded. -#}
    cast(customers as string)
    || case when customers = 1 then ' customer, ' else ' customers, ' end
    || cast({{ whole_number('100 * customer_share', 'bigint') }} as string) || ' % of all'
    || coalesce(
        ', with '
        || cast({{ whole_number('100 * revenue_share', 'bigint') }} as string)
        || ' % of the revenue',
        ''
    )
    || coalesce(
        ': a median of '
        || cast({{ whole_number('median_recency_days', 'bigint') }} as string)
        || ' days since the last purchase, '
        || cast({{ whole_number('median_frequency', 'bigint') }} as string)
        || case when median_frequency = 1 then ' purchase' else ' purchases' end
        || coalesce(
            ' and '
            || cast({{ whole_number('median_monetary', 'bigint') }} as string)
            || ' spent',
            ''
        ),
        case when median_frequency = 0 then ', without a purchase yet' else '' end
    )
    || '.'
{%- endmacro %}


{% macro holdout_share() -%}
    cast({{ var('campaign_holdout_share') }} as decimal(9, 6))
{%- endmacro %}


{% macro hash_fraction(text) -%}
    {#- A number from 0 to less than 1, as good as random: four digits of a hash. -#}
    (
        {%- for digit in range(1, 5) %}
        {{ ' + ' if not loop.first -}}
        (position(substr(md5({{ text }}), {{ digit }}, 1) in '0123456789abcdef') - 1)
        * {{ 16 ** (4 - digit) }}
        {%- endfor %}
    ) / cast(65536 as double)
{%- endmacro %}


{% macro campaign_status() %}
    {#- Whether a campaign has an audience, and if not, why. -#}
    case
        when verdict = 'none' then 'suppressed'
        when customers = 0 then 'no_customers'
        when control_customers = 0 or control_customers = customers then 'no_holdout'
        else 'planned'
    end
{%- endmacro %}


{% macro rate_deviation(baseline_rate) -%}
    {#- The standard deviation of a purchase, if the relevant effect is there. -#}
    sqrt(
        least({{ baseline_rate }} + {{ threshold('campaign_relevant_rate') }}, 0.5)
        * (1 - least({{ baseline_rate }} + {{ threshold('campaign_relevant_rate') }}, 0.5))
    )
{%- endmacro %}


{% macro customers_needed(quantiles) %}
    {#- The size of an audience that shows the relevant difference in rates. -#}
    cast(
        ceil(
            power({{ quantiles }} * rate_deviation / {{ threshold('campaign_relevant_rate') }}, 2)
            * (
                {{ ratio('1', holdout_share()) }}
                + {{ ratio('1', '(1 - ' ~ holdout_share() ~ ')') }}
            )
        ) as bigint
    )
{%- endmacro %}


{% macro why_effect_is_unknown() %}
    {#- Why nothing can be said of a campaign; null if it can be measured. -#}
    case
        when runs.start_date is null then 'nobody_treated'
        when not runs.has_transactions then 'no_transactions'
        when measures.measure = 'spend' and not runs.has_amounts then 'no_amounts'
        when coalesce(groups_counted.treated_customers, 0) = 0 then 'nobody_treated'
        when coalesce(groups_counted.control_customers, 0) = 0 then 'no_holdout'
        when
            groups_counted.reached_control_customers
            > groups_counted.control_customers * {{ threshold('campaign_max_holdout_reached') }}
            then 'holdout_reached'
        when not runs.is_over then 'window_open'
        when
            groups_counted.reached_customers
            < groups_counted.treated_customers * {{ threshold('campaign_min_reached') }}
            then 'few_reached'
        when
            least(groups_counted.treated_customers, groups_counted.control_customers)
            < {{ threshold('campaign_min_customers') }}
            then 'too_few_customers'
        when groups_counted.buyers < {{ threshold('campaign_min_buyers') }}
            then 'too_few_buyers'
        when effects.imbalance > {{ threshold('campaign_max_imbalance') }}
            then 'uneven_sides'
    end
{%- endmacro %}


{% macro recorded_sides() %}

    {#- The audiences that earlier builds recorded. Results need no others: the audience was
        there before its first message. Reading the table as it stands keeps results off the
        path that draws the sides of today. -#}

    {%- set relation = none -%}
    {%- if execute -%}
        {%- set target_node = graph.nodes.values()
            | selectattr('name', 'equalto', 'int_serving__sides') | first -%}
        {%- set relation = load_relation(api.Relation.create(
            database=target_node.database,
            schema=target_node.schema,
            identifier=target_node.alias,
        )) -%}
    {%- endif -%}
    {%- if relation is none -%}
        {{ no_rows({
            'campaign': 'string',
            'customer_key': 'string',
            'as_of_date': 'date',
            'is_control': 'boolean',
        }) }}
    {%- else -%}
        select
            campaign,
            customer_key,
            as_of_date,
            is_control

        from {{ named_in_views(relation) }}
    {%- endif -%}

{% endmacro %}
