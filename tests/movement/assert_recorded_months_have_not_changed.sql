{{ config(severity='warn') }}
-- months of the RFM history that would be recorded differently today: an event arrived
-- late, or was corrected
with

rfm_history_months as (

    select * from {{ ref('rfm_history_months') }}

)

select
    source_system,
    month_date,
    changed_customers,
    source_system || ', ' || cast(month_date as string) || ': '
    || cast(changed_customers as string)
    || ' customers would be recorded differently today; see rfm_history_months, or'
    || ' record anew with --full-refresh --select customer_rfm_history+' as message

from rfm_history_months
where changed_customers > 0
