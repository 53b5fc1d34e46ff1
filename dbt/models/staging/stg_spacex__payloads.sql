with source as (

    select * from {{ source('spacex', 'payloads') }}

),

renamed as (

    select
        payloads.id as payload_id,
        payloads.name as payload_name,
        payloads.type as payload_type,
        payloads.launch as launch_id,
        payloads.reused as is_reused,
        payloads.mass_kg,
        payloads.orbit,
        payloads.reference_system,
        payloads.regime,
        payloads.longitude as longitude_deg,
        payloads.periapsis_km,
        payloads.apoapsis_km,
        payloads.inclination_deg,
        payloads.lifespan_years,
        payloads.epoch as orbit_epoch_at,
        payloads.customers,
        payloads.nationalities,
        payloads.manufacturers,
        payloads.norad_ids,
        payloads.dragon,
        payloads._loaded_at as loaded_at
    from source as payloads
    where payloads._deleted_at is null

)

select * from renamed
