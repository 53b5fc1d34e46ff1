with launches as (

    select * from {{ ref('stg_spacex__launches') }}

),

cores as (

    select * from {{ ref('stg_spacex__cores') }}

),

-- Redshift unnests a SUPER array by a comma only: there is no join to spell out.
core_entries as (

    select
        launches.launch_id,
        launches.launch_name,
        launches.launch_at,
        launches.is_upcoming,
        launches.rocket_id,
        launches.loaded_at,
        cast(core.core as varchar(24)) as core_id,
        cast(core.flight as integer) as core_flight_number,
        cast(core.reused as boolean) as was_reused,
        cast(core.gridfins as boolean) as has_gridfins,
        cast(core.legs as boolean) as has_legs,
        cast(core.landing_attempt as boolean) as was_landing_attempted,
        cast(core.landing_success as boolean) as was_landing_successful,
        cast(core.landing_type as varchar(16)) as landing_type,
        cast(core.landpad as varchar(24)) as landpad_id
    from launches, launches.cores as core

),

assigned as (

    select * from core_entries
    where core_entries.core_id is not null

),

sequenced as (

    select
        assigned.*,
        lag(assigned.launch_at) over (
            partition by assigned.core_id
            order by assigned.launch_at, assigned.launch_id
        ) as previous_launch_at
    from assigned

)

select
    sequenced.launch_id,
    sequenced.core_id,
    cores.core_serial,
    sequenced.core_flight_number,
    sequenced.launch_name,
    sequenced.launch_at,
    sequenced.is_upcoming,
    sequenced.rocket_id,
    sequenced.was_reused,
    sequenced.has_gridfins,
    sequenced.has_legs,
    sequenced.was_landing_attempted,
    sequenced.was_landing_successful,
    cast(
        case
            when sequenced.is_upcoming then 'upcoming'
            when not sequenced.was_landing_attempted then 'not attempted'
            when sequenced.was_landing_successful then 'success'
            when not sequenced.was_landing_successful then 'failure'
            else 'unknown'
        end as varchar(16)
    ) as landing_outcome,
    sequenced.landing_type,
    sequenced.landpad_id,
    -- An upcoming launch's date is a plan and moves, so it makes no turnaround.
    cast(
        case
            when not sequenced.is_upcoming
                then datediff(
                    day, cast(sequenced.previous_launch_at as date), cast(sequenced.launch_at as date)
                )
        end as integer
    ) as turnaround_days,
    sequenced.loaded_at
from sequenced
left join cores
    on sequenced.core_id = cores.core_id
