with source as (

    select * from {{ source('spacex', 'rockets') }}

),

renamed as (

    select
        rockets.id as rocket_id,
        rockets.name as rocket_name,
        rockets.active as is_active,
        rockets.stages as stage_count,
        rockets.boosters as booster_count,
        rockets.cost_per_launch as cost_per_launch_usd,
        cast(rockets.success_rate_pct as decimal(5, 2)) / 100 as success_rate_ratio,
        rockets.first_flight as first_flight_date,
        rockets.country,
        rockets.company,
        rockets.description,
        rockets.wikipedia as wikipedia_url,
        cast(rockets.height.meters as decimal(9, 2)) as height_m,
        cast(rockets.diameter.meters as decimal(9, 2)) as diameter_m,
        cast(rockets.mass.kg as bigint) as mass_kg,
        cast(rockets.first_stage.reusable as boolean) as is_first_stage_reusable,
        cast(rockets.engines.type as varchar(64)) as engine_type,
        cast(rockets.engines.number as integer) as engine_count,
        rockets.payload_weights,
        rockets._loaded_at as loaded_at
    from source as rockets
    where rockets._deleted_at is null

)

select * from renamed
