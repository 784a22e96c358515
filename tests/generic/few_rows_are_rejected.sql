{% test few_rows_are_rejected(
    model, source_name, table_name, harmless_reasons=['exact_duplicate']
) %}

    {#- Warns of a raw table with a large share of rejected rows, and fails where it is
        most of them: such a file was read wrongly, or is the wrong one. Rows with a
        harmless reason alone do not count at all: another row says the same. A few rows
        of a small lookup table are no share to speak of, unless they are all. -#}

{{ config(
    fail_calc='coalesce(max(severity_level), 0)',
    warn_if='>= 1',
    error_if='>= 2',
) }}

with

rows_by_reasons as (

    select
        reasons,
        count(*) as row_count

    from {{ model }}
    where reasons not in ('{{ harmless_reasons | join("', '") }}')
    group by reasons

),

ranked as (

    select
        row_count,
        case when reasons <> '' then row_count else 0 end as rejected_count,
        cast(row_count as string) || ' ' || reasons as counted_reasons,
        -- usable rows come last
        row_number() over (
            order by case when reasons = '' then 1 else 0 end, row_count desc, reasons
        ) as reason_rank,
        reasons <> '' as is_rejected

    from rows_by_reasons

),

summed as (

    select
        sum(row_count) as counted_rows,
        sum(rejected_count) as rejected_rows,
        1.0 * sum(rejected_count) / sum(row_count) as rejected_share,
        concat_ws(
            '; ',
            {%- for rank in (1, 2, 3) %}
            max(
                case
                    when is_rejected and reason_rank = {{ rank }} then counted_reasons
                end
            )
            {{- ',' if not loop.last }}
            {%- endfor %}
        ) as leading_reasons

    from ranked

),

judged as (

    select
        *,
        case
            when rejected_rows = counted_rows then 2
            when rejected_rows < {{ threshold('rejected_min_rows') }} then 0
            when rejected_share >= {{ threshold('rejected_share_fails') }} then 2
            when rejected_share >= {{ threshold('rejected_share_warns') }} then 1
            else 0
        end as severity_level

    from summed

)

select
    severity_level,
    rejected_rows,
    counted_rows,
    '{{ source_name }}.{{ table_name }}: ' || cast(rejected_rows as string) || ' of '
    || cast(counted_rows as string) || ' rows are rejected ('
    || cast(cast(100 * rejected_share as decimal(9, 1)) as string) || ' %): '
    || leading_reasons || '; look at them in rejected_records, correct the file, and'
    || ' land it again' as message

from judged
where severity_level > 0

{% endtest %}
