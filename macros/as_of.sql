{% macro as_known_on(transactions_alias, as_of_date_expression) %}

    {#- The columns `completed_at`, `status` and `amount` of a transaction as they were
        known on a date: a coupon redeemed on or after the date is still claimed, with no
        completion and no amount. The caller ignores transactions made on or after the
        date. -#}

    case
        when {{ transactions_alias }}.completed_at < {{ as_of_date_expression }}
            then {{ transactions_alias }}.completed_at
    end as completed_at,
    case
        when {{ transactions_alias }}.completed_at >= {{ as_of_date_expression }}
            then 'claimed'
        else {{ transactions_alias }}.status
    end as status,
    case
        when {{ transactions_alias }}.completed_at >= {{ as_of_date_expression }}
            then null
        else {{ transactions_alias }}.amount
    end as amount

{%- endmacro %}


{% macro lifetime_totals() %}

    {#- What a customer has done in all, summed over transactions as they were known on a
        date; the caller groups. -#}

    min(transacted_at) as first_transacted_at,
    max(transacted_at) as last_transacted_at,
    min(completed_at) as first_completed_at,
    max(completed_at) as last_completed_at,
    count(*) as lifetime_transactions,
    count(completed_at) as lifetime_purchases,
    cast(sum(amount) as decimal(18, 2)) as lifetime_spent

{%- endmacro %}


{% macro lifetime_measures(as_of_date) %}

    {#- Recency, frequency and money of a customer on a date. The caller joins `summed`,
        which has `lifetime_totals`, and `source_systems`. -#}

    cast(
        {{ dbt.datediff('summed.last_completed_at', as_of_date, 'day') }} as int
    ) as recency_days,
    case
        when source_systems.has_transactions
            then coalesce(summed.lifetime_purchases, 0)
    end as frequency,
    case
        when source_systems.has_amounts
            then cast(coalesce(summed.lifetime_spent, 0) as decimal(18, 2))
    end as monetary

{%- endmacro %}


{% macro happened_at(prefix='') -%}

    {#- When a transaction counts: a purchase when it is completed, a return when it is
        made. -#}

    coalesce({{ prefix }}completed_at, {{ prefix }}transacted_at)

{%- endmacro %}


{% macro is_known_on(joined_at, as_of_date) -%}

    {#- Whether a customer exists on a date: customers who join on or after it do not.
        A source system without joining dates has all its customers on every date. -#}

    ({{ joined_at }} is null or {{ joined_at }} < {{ as_of_date }})

{%- endmacro %}
