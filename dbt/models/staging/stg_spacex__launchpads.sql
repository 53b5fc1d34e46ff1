with source as (

    select * from {{ source('spacex', 'launchpads') }}

),

renamed as (

    select
        launchpads.id as launchpad_id,
        launchpads.name as launchpad_name,
        launchpads.full_name as launchpad_full_name,
        launchpads.locality,
        launchpads.region,
        launchpads.timezone,
        launchpads.latitude as latitude_deg,
        launchpads.longitude as longitude_deg,
        launchpads.status,
        launchpads.launch_attempts as launch_attempt_count,
        launchpads.launch_successes as launch_success_count,
        launchpads.details,
        launchpads.rockets,
        launchpads._loaded_at as loaded_at
    from source as launchpads
    where launchpads._deleted_at is null

)

select * from renamed
