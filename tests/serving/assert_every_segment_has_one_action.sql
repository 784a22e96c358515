-- each RFM segment has one play, and each segment has an action

select
    rfm_segments.rfm_segment as segment_name,
    count(distinct segment_playbook.play) as plays

from {{ ref('rfm_segments') }} as rfm_segments
left join {{ ref('segment_playbook') }} as segment_playbook
    on
        segment_playbook.kind = 'rfm'
        and rfm_segments.rfm_segment = segment_playbook.segment
group by rfm_segments.rfm_segment
having count(distinct segment_playbook.play) <> 1

union all

select
    segment_name,
    0 as plays

from {{ ref('segment_actions') }}
where action is null
