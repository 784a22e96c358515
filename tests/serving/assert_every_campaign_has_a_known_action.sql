-- a misspelt action would give a campaign no customers, and say no more

with

declared as (

    {{ campaigns() }}

)

select
    declared.campaign,
    declared.action

from declared
left join {{ ref('segment_playbook') }} as segment_playbook
    on declared.action = segment_playbook.action
where segment_playbook.action is null
