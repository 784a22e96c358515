{% set columns = [
    'campaign', 'source_system', 'customer_id', 'sent_at', 'is_treated',
] %}

with

source as (

    select
        campaign,
        source_system,
        customer_id,
        sent_at,
        {{ raw_column('campaigns', 'sends', 'is_treated') }}

    from {{ source('campaigns', 'sends') }}

),

{{ distinct_rows('source', columns) }},

typed as (

    select
        ---------- ids
        {{ known_text('campaign') }} as campaign,
        {{ known_text('source_system') }} as source_system,
        {{ identifier('customer_id') }} as customer_id,

        ---------- timestamps
        {{ timestamp_from_text('sent_at') }} as sent_at,
        {{ is_unreadable('sent_at', timestamp_from_text('sent_at')) }}
            as is_date_unreadable,

        ---------- booleans
        case
            when lower({{ known_text('is_treated') }}) in ('true', 't', 'yes', 'y', '1')
                then true
            when lower({{ known_text('is_treated') }}) in ('false', 'f', 'no', 'n', '0')
                then false
        end as is_treated,
        {{ known_text('is_treated') }} as is_treated_text,

        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

-- whoever is held out was sent nothing, so a row that says so needs no date
{{ flagged('typed', key='campaign, source_system, customer_id', reasons={
    'missing_key': 'campaign is null or source_system is null or customer_id is null',
    'unreadable_date': '
        is_date_unreadable or (sent_at is null and coalesce(is_treated, true))',
    'unreadable_flag': 'is_treated_text is not null and is_treated is null',
    'unknown_source_system':
        "source_system not in ('" ~ var('source_system_catalog') | join("', '") ~ "')",
}) }}

select
    campaign,
    source_system,
    customer_id,
    sent_at,
    is_treated,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
