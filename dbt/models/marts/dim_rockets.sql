with rockets as (

    select * from {{ ref('stg_spacex__rockets') }}

),

-- Redshift unnests a SUPER array by a comma only: there is no join to spell out.
payload_capacities as (

    select
        rockets.rocket_id,
        cast(capacity.id as varchar(16)) as orbit,
        cast(capacity.kg as integer) as capacity_kg
    from rockets, rockets.payload_weights as capacity

),

capacities_by_rocket as (

    select
        payload_capacities.rocket_id,
        max(case when payload_capacities.orbit = 'leo' then payload_capacities.capacity_kg end) as leo_capacity_kg,
        max(case when payload_capacities.orbit = 'gto' then payload_capacities.capacity_kg end) as gto_capacity_kg
    from payload_capacities
    group by payload_capacities.rocket_id

)

select
    rockets.rocket_id,
    rockets.rocket_name,
    rockets.is_active,
    cast(rockets.stage_count as integer) as stage_count,
    cast(rockets.booster_count as integer) as booster_count,
    cast(rockets.cost_per_launch_usd as bigint) as cost_per_launch_usd,
    cast(rockets.success_rate_ratio as decimal(5, 4)) as success_rate_ratio,
    cast(rockets.first_flight_date as date) as first_flight_date,
    rockets.country,
    rockets.company,
    rockets.height_m,
    rockets.diameter_m,
    rockets.mass_kg,
    rockets.is_first_stage_reusable,
    rockets.engine_type,
    rockets.engine_count,
    capacities_by_rocket.leo_capacity_kg,
    capacities_by_rocket.gto_capacity_kg,
    rockets.loaded_at
from rockets
left join capacities_by_rocket
    on rockets.rocket_id = capacities_by_rocket.rocket_id
