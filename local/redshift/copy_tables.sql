-- Owns what is recorded of loads and queries, and the views through which Redshift shows it. Writing the rows is the
-- job of copy/journal.py and history.py.
-- May be run again at any time.

create schema if not exists stand_in;
grant usage on schema stand_in to public;

create sequence if not exists stand_in.query_id start 100;

create table if not exists stand_in.load_errors (
    user_name text not null,
    query_id bigint not null,
    session_id integer not null,
    database_name text not null,
    table_id bigint not null,
    start_time timestamp not null,
    file_name text not null,
    line_number bigint not null,
    column_name text not null,
    column_type text not null,
    column_length text not null,
    raw_line text not null,
    raw_value text not null,
    error_code integer not null,
    error_message text not null
);

create table if not exists stand_in.loads (
    session_key text not null,
    user_name text not null,
    query_id bigint primary key,
    session_id integer not null,
    database_name text not null,
    status text not null,
    table_name text not null,
    start_time timestamp not null,
    end_time timestamp not null,
    data_source text not null,
    file_format text not null,
    loaded_rows bigint not null,
    source_file_count integer not null,
    source_file_bytes bigint not null,
    error_count bigint not null
);
create index if not exists loads_of_session on stand_in.loads (session_key, query_id);

create table if not exists stand_in.queries (
    query_id bigint primary key,
    user_name text not null,
    session_id integer not null,
    database_name text not null,
    query_label text not null,
    query_type text not null,
    status text not null,
    start_time timestamp not null,
    end_time timestamp not null,
    returned_rows bigint not null,
    error_message text not null,
    query_text text not null
);
delete from stand_in.queries where start_time < now() at time zone 'utc' - interval '7 days'; -- as long as Redshift keeps them

grant select on stand_in.load_errors, stand_in.loads, stand_in.queries to public;

-- Unqualified names must find these whatever the search path is, as on Redshift.
set local allow_system_table_mods = on;

create or replace view pg_catalog.stl_load_errors as
select
    coalesce(r.oid::bigint, 0)::integer as userid,
    0 as slice,
    e.table_id::integer as tbl,
    e.start_time as starttime,
    e.session_id as session,
    e.query_id::integer as query,
    e.file_name::varchar(256) as filename,
    e.line_number,
    e.column_name::varchar(127) as colname,
    e.column_type::varchar(10) as type,
    e.column_length::varchar(10) as col_length,
    0 as position,
    e.raw_line::varchar(1024) as raw_line,
    e.raw_value::varchar(1024) as raw_field_value,
    e.error_code as err_code,
    e.error_message::varchar(100) as err_reason,
    0 as is_partial,
    0::bigint as start_offset,
    0::bigint as copy_job_id
from stand_in.load_errors as e
left join pg_catalog.pg_roles as r on r.rolname = e.user_name;

create or replace view pg_catalog.sys_load_error_detail as
select
    coalesce(r.oid::bigint, 0)::integer as user_id,
    e.query_id,
    0::bigint as transaction_id,
    e.session_id,
    e.database_name::varchar(64) as database_name,
    e.table_id::integer as table_id,
    e.start_time,
    e.file_name::varchar(256) as file_name,
    e.line_number,
    e.column_name::varchar(127) as column_name,
    e.column_type::varchar(10) as column_type,
    e.column_length::varchar(10) as column_length,
    0 as position,
    e.error_code,
    e.error_message::varchar(512) as error_message,
    0::bigint as copy_job_id
from stand_in.load_errors as e
left join pg_catalog.pg_roles as r on r.rolname = e.user_name;

create or replace view pg_catalog.sys_load_history as
select
    coalesce(r.oid::bigint, 0)::integer as user_id,
    l.query_id,
    0::bigint as transaction_id,
    l.session_id,
    l.database_name::varchar(64) as database_name,
    l.status::varchar(50) as status,
    l.table_name::varchar(128) as table_name,
    l.start_time,
    l.end_time,
    (extract(epoch from l.end_time - l.start_time) * 1000000)::bigint as duration,
    l.data_source::varchar(256) as data_source,
    l.file_format::varchar(16) as file_format,
    l.loaded_rows,
    0::bigint as loaded_bytes,
    l.source_file_count,
    l.source_file_bytes,
    l.source_file_count as file_count_scanned,
    l.source_file_bytes as file_bytes_scanned,
    l.error_count,
    0::bigint as copy_job_id
from stand_in.loads as l
left join pg_catalog.pg_roles as r on r.rolname = l.user_name;

create or replace view pg_catalog.sys_query_history as
select
    coalesce(r.oid::bigint, 0)::integer as user_id,
    q.query_id,
    q.query_label::varchar(320) as query_label,
    0::bigint as transaction_id,
    q.session_id,
    q.database_name::varchar(128) as database_name,
    q.query_type::varchar(32) as query_type,
    q.status::varchar(10) as status,
    false as result_cache_hit,
    q.start_time,
    q.end_time,
    (extract(epoch from q.end_time - q.start_time) * 1000000)::bigint as elapsed_time,
    0::bigint as queue_time,
    (extract(epoch from q.end_time - q.start_time) * 1000000)::bigint as execution_time,
    q.error_message::varchar(512) as error_message,
    q.returned_rows,
    null::bigint as returned_bytes,
    q.query_text::varchar(4000) as query_text
from stand_in.queries as q
left join pg_catalog.pg_roles as r on r.rolname = q.user_name
where q.user_name = current_user or (select u.rolsuper from pg_catalog.pg_roles as u where u.rolname = current_user);

grant select on
    pg_catalog.stl_load_errors, pg_catalog.sys_load_error_detail, pg_catalog.sys_load_history,
    pg_catalog.sys_query_history
to public;

create or replace function pg_catalog.pg_last_copy_count() returns bigint
language sql volatile
set search_path = pg_catalog
as $$
    select coalesce(nullif(current_setting('stand_in.last_copy_count', true), '')::bigint, 0)
$$;

create or replace function pg_catalog.pg_last_copy_id() returns integer
language sql volatile
set search_path = pg_catalog
as $$
    select coalesce(
        (
            select l.query_id::integer
            from stand_in.loads as l
            where l.session_key = current_setting('stand_in.session_key', true)
            order by l.query_id desc
            limit 1
        ),
        -1
    )
$$;
