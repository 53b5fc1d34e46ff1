with source as (

    select * from {{ source('spacex', 'cores') }}

),

renamed as (

    select
        cores.id as core_id,
        cores.serial as core_serial,
        cores.block as block_number,
        cores.status,
        cores.reuse_count,
        cores.rtls_attempts as rtls_attempt_count,
        cores.rtls_landings as rtls_landing_count,
        cores.asds_attempts as asds_attempt_count,
        cores.asds_landings as asds_landing_count,
        cores.last_update,
        cores.launches,
        cores._loaded_at as loaded_at
    from source as cores
    where cores._deleted_at is null

)

select * from renamed
