with source as (

    select * from {{ source('spacex', 'launches') }}

),

renamed as (

    select
        launches.id as launch_id,
        launches.flight_number,
        launches.name as launch_name,
        launches.date_utc as launch_at,
        launches.date_precision as launch_at_precision,
        launches.static_fire_date_utc as static_fire_at,
        launches.window as launch_window_s,
        launches.upcoming as is_upcoming,
        launches.success as was_successful,
        launches.rocket as rocket_id,
        launches.launchpad as launchpad_id,
        launches.details,
        launches.cores,
        launches.payloads,
        launches.capsules,
        launches.crew,
        launches.ships,
        launches.failures,
        launches.fairings,
        launches.links,
        launches._loaded_at as loaded_at
    from source as launches
    where launches._deleted_at is null

)

select * from renamed
