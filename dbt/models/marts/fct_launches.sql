with launches as (

    select * from {{ ref('stg_spacex__launches') }}

),

rockets as (

    select * from {{ ref('stg_spacex__rockets') }}

),

launchpads as (

    select * from {{ ref('stg_spacex__launchpads') }}

),

payloads as (

    select * from {{ ref('stg_spacex__payloads') }}

),

-- Redshift unnests a SUPER array by a comma only: there is no join to spell out.
core_entries as (

    select
        launches.launch_id,
        cast(core.core as varchar(24)) as core_id,
        cast(core.reused as boolean) as was_reused,
        cast(core.landing_success as boolean) as was_landed
    from launches, launches.cores as core

),

cores_by_launch as (

    select
        core_entries.launch_id,
        count(core_entries.core_id) as core_count,
        count(*) - count(core_entries.core_id) as unassigned_core_count,
        sum(case when core_entries.was_reused then 1 else 0 end) as reused_core_count,
        sum(case when core_entries.was_landed then 1 else 0 end) as landed_core_count
    from core_entries
    group by core_entries.launch_id

),

-- The launch's own list decides what it carries: payloads.launch is not its inverse.
payload_entries as (

    select distinct
        launches.launch_id,
        cast(payload as varchar(24)) as payload_id
    from launches, launches.payloads as payload

),

payloads_by_launch as (

    select
        payload_entries.launch_id,
        count(*) as payload_count,
        count(payloads.mass_kg) as weighed_payload_count,
        sum(payloads.mass_kg) as payload_mass_kg
    from payload_entries
    left join payloads
        on payload_entries.payload_id = payloads.payload_id
    group by payload_entries.launch_id

)

select
    launches.launch_id,
    cast(launches.flight_number as integer) as flight_number,
    launches.launch_name,
    launches.launch_at,
    launches.launch_at_precision,
    launches.is_upcoming,
    launches.was_successful,
    cast(
        case
            when launches.is_upcoming then 'upcoming'
            when launches.was_successful then 'success'
            when not launches.was_successful then 'failure'
            else 'unknown'
        end as varchar(16)
    ) as outcome,
    cast(launches.failures[0].reason as varchar(8192)) as failure_reason,
    launches.rocket_id,
    rockets.rocket_name,
    launches.launchpad_id,
    launchpads.launchpad_name,
    launchpads.launchpad_full_name,
    cast(coalesce(cores_by_launch.core_count, 0) as integer) as core_count,
    cast(coalesce(cores_by_launch.unassigned_core_count, 0) as integer) as unassigned_core_count,
    cast(coalesce(cores_by_launch.reused_core_count, 0) as integer) as reused_core_count,
    cast(coalesce(cores_by_launch.landed_core_count, 0) as integer) as landed_core_count,
    cast(coalesce(payloads_by_launch.payload_count, 0) as integer) as payload_count,
    cast(coalesce(payloads_by_launch.weighed_payload_count, 0) as integer) as weighed_payload_count,
    cast(payloads_by_launch.payload_mass_kg as decimal(14, 3)) as payload_mass_kg,
    launches.loaded_at
from launches
left join rockets
    on launches.rocket_id = rockets.rocket_id
left join launchpads
    on launches.launchpad_id = launchpads.launchpad_id
left join cores_by_launch
    on launches.launch_id = cores_by_launch.launch_id
left join payloads_by_launch
    on launches.launch_id = payloads_by_launch.launch_id
