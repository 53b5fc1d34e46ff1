-- Owns what the catalog says: relations named as Redshift's, over PostgreSQL's own. Each view lists its columns in its
-- head, where catalog.py reads them. Only what drivers, dbt, SQLAlchemy and Great Expectations ask is here.

drop schema if exists redshift_catalog, redshift_information_schema cascade;
create schema redshift_catalog;
create schema redshift_information_schema;
grant usage on schema redshift_catalog, redshift_information_schema to public;

-- How Redshift would lay tables out, as CREATE TABLE said. Filled by the event trigger below.
create table if not exists redshift.table_layout (
    relation oid primary key,
    diststyle text,
    distkey text,
    sortkey text[] not null,
    is_interleaved boolean not null,
    encodings jsonb not null
);
alter table redshift.table_layout add column if not exists keys text[] not null default '{}';
grant select on redshift.table_layout to public;
create or replace function redshift.keep_layout() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
begin
    insert into redshift.table_layout (relation, diststyle, distkey, sortkey, is_interleaved, encodings, keys)
    select distinct on (command.objid)
        command.objid,
        note ->> 'diststyle',
        note ->> 'distkey',
        array(select jsonb_array_elements_text(note -> 'sortkey')),
        (note ->> 'interleaved')::boolean,
        note -> 'encodings',
        array(select jsonb_array_elements_text(note -> 'keys'))
    from regexp_matches(current_query(), '/\*redshift:(.*?)\*/', 'g') as found (texts)
    cross join lateral (select redshift.read_json(found.texts[1])::jsonb as note) as parsed
    inner join pg_event_trigger_ddl_commands() as command
        on command.classid = 'pg_class'::regclass and command.objsubid = 0
    inner join pg_class as c on command.objid = c.oid and c.relname = note ->> 'table'
    on conflict do nothing;
    perform redshift.refuse(
        '42703', format('column "%s", a key of the table, does not exist', name)
    )
    from pg_event_trigger_ddl_commands() as command
    inner join redshift.table_layout as l on command.objid = l.relation
    cross join unnest(l.sortkey || l.keys || l.distkey) as key (name)
    where key.name is not null and not exists (
        select from pg_attribute as a where a.attrelid = l.relation and a.attname = key.name and not a.attisdropped
    );
end
$$;
create or replace function redshift.forget_layout() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
begin
    perform redshift.refuse('0A000', format('cannot drop the distribution or sort key column "%s"', name))
    from pg_event_trigger_dropped_objects() as d
    cross join lateral (select d.address_names[3] as name) as dropped
    inner join redshift.table_layout as l on d.objid = l.relation and name = any(l.sortkey || l.distkey)
    where d.objsubid > 0;
    perform redshift.refuse('42P16', format('cannot drop the last column of the table, "%s"', d.address_names[3]))
    from pg_event_trigger_dropped_objects() as d
    where d.objsubid > 0 and exists (select from pg_class where oid = d.objid and relkind = 'r') and not exists (
        select from pg_attribute where attrelid = d.objid and attnum > 0 and not attisdropped
    );
    delete from redshift.table_layout
    where relation in (select objid from pg_event_trigger_dropped_objects() where objsubid = 0);
end
$$;
create or replace function redshift.refuse(code text, message text) returns void language plpgsql as $$
begin
    raise exception using errcode = code, message = message;
end
$$;

-- Keys are kept, not enforced: some columns cannot be changed for them.
create or replace function redshift.add_keys(keyed text, names text[], is_primary boolean) returns void
    language plpgsql security definer as $$
declare
    here regclass := keyed::regclass;
begin
    perform redshift.refuse('42703', format('column "%s" does not exist', name))
    from unnest(names) as key (name)
    where not exists (select from pg_attribute where attrelid = here and attname = name and attnum > 0);
    perform redshift.refuse('42P16', format('column "%s" of a primary key must be NOT NULL', attname))
    from pg_attribute
    where attrelid = here and attname = any(names) and is_primary and not attnotnull;
    insert into redshift.table_layout (relation, sortkey, is_interleaved, encodings, keys)
    values (here, '{}', false, '{}', names)
    on conflict on constraint table_layout_pkey do update set keys = redshift.table_layout.keys || excluded.keys;
end
$$;
create or replace function redshift.check_resize(resized text, name text) returns void language plpgsql as $$
declare
    here regclass := resized::regclass;
begin
    perform redshift.refuse('0A000', format('cannot change the type of column "%s": it has a default', name))
    from pg_attribute where attrelid = here and attname = name and atthasdef;
    perform redshift.refuse('0A000', format('cannot change the type of column "%s": %s', name, reason))
    from redshift.table_layout as l
    cross join lateral (
        values
            ('it is of a key', name = any(l.keys)),
            ('of its encoding', l.encodings ->> name in ('bytedict', 'runlength', 'text255', 'text32k'))
    ) as found (reason, is_so)
    where l.relation = here and is_so;
end
$$;

-- Views are read only; PostgreSQL would write through simple ones.
create or replace function redshift.refuse_view_write() returns trigger language plpgsql as $$
begin
    raise exception using errcode = '55000', message = format('cannot change the view "%s"', tg_table_name);
end
$$;
create or replace function redshift.keep_view() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
declare
    made oid;
begin
    for made in
        select objid from pg_event_trigger_ddl_commands() as command
        inner join pg_class as c on command.objid = c.oid and c.relkind = 'v'
        where command.classid = 'pg_class'::regclass
    loop
        execute format(
            -- The second makes PostgreSQL look at the first, which is asked even where no row is to be changed.
            'create or replace trigger redshift_read_only before insert or update or delete on %1$s'
            ' for each statement execute function redshift.refuse_view_write();'
            'create or replace trigger redshift_read_only_rows instead of insert or update or delete on %1$s'
            ' for each row execute function redshift.refuse_view_write()', made::regclass
        );
    end loop;
end
$$;
drop event trigger if exists redshift_keep_layout;
drop event trigger if exists redshift_forget_layout;
drop event trigger if exists redshift_keep_view;
create event trigger redshift_keep_layout on ddl_command_end
    when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'CREATE MATERIALIZED VIEW') execute function redshift.keep_layout();
create event trigger redshift_forget_layout on sql_drop execute function redshift.forget_layout();
create event trigger redshift_keep_view on ddl_command_end
    when tag in ('CREATE VIEW') execute function redshift.keep_view();

-- Functions about types
create or replace function redshift.format_type(oid, integer) returns text language sql stable as $$
    select case $1
        when 'text'::regtype then 'character varying(256)'
        when 'varchar'::regtype then
            case when $2 > 0 then pg_catalog.format_type($1, $2) else 'character varying(256)' end
        when 'bytea'::regtype then 'binary varying(64000)'
        else pg_catalog.format_type($1, $2)
    end
$$;
create or replace function redshift.format_encoding(integer) returns text language sql immutable as $$
    select (array[
        'none', 'bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength', 'text255',
        'text32k', 'zstd', 'az64'
    ])[$1 + 1]
$$;
create or replace function redshift.encoding_number(text) returns integer language sql immutable as $$
    select coalesce(
        array_position(
            array[
                'raw', 'bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength',
                'text255', 'text32k', 'zstd', 'az64'
            ],
            $1
        ) - 1,
        0
    )
$$;
create or replace function redshift.identity_type(oid) returns text language sql stable as $$
    select case when $1 = 0 then 'public' when u.rolcanlogin then 'user' else 'role' end
    from (select 1) as one left join pg_catalog.pg_roles as u on u.oid = $1
$$;
-- An element of an array, which only the leader node's functions return: current_schemas(true)[1].
create or replace function redshift.navigate(name[], integer) returns name language sql immutable return $1[$2];
create or replace function redshift.is_shown(namespace name) returns boolean language sql immutable as $$
    select $1 not in (
        'redshift', 'redshift_catalog', 'redshift_information_schema', 'stand_in', 'pg_toast'
    )
        and $1 not like 'pg\_toast\_temp%'
$$;

-- pg_catalog
create view redshift_catalog.pg_namespace (oid, nspname, nspowner, nspacl) as
select oid, nspname, nspowner, nspacl from pg_catalog.pg_namespace where redshift.is_shown(nspname);

create view redshift_catalog.pg_class (
    oid, relname, relnamespace, reltype, relowner, relpages, reltuples, relkind, relnatts, relacl, reldiststyle
) as
select
    c.oid, c.relname, c.relnamespace, c.reltype, c.relowner, c.relpages, c.reltuples,
    case c.relkind when 'm' then 'v' else c.relkind end, c.relnatts, c.relacl,
    case l.diststyle when 'key' then 1 when 'all' then 8 when 'even' then 0 else 9 end
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
left join redshift.table_layout as l on c.oid = l.relation
where redshift.is_shown(n.nspname)
union all
select
    m.storage, m.storage_name, c.relnamespace, 0, c.relowner, c.relpages, c.reltuples, 'r', c.relnatts, null,
    case l.diststyle when 'key' then 1 when 'all' then 8 else 0 end
from redshift.materialized as m
inner join pg_catalog.pg_class as c on m.view = c.oid
left join redshift.table_layout as l on m.view = l.relation;

create view redshift_catalog.pg_attribute (
    attrelid, attname, atttypid, attlen, attnum, atttypmod, attnotnull, atthasdef, attisdropped,
    attisdistkey, attsortkeyord, attencodingtype
) as
select
    a.attrelid, a.attname, a.atttypid, a.attlen, a.attnum, a.atttypmod, a.attnotnull, a.atthasdef, a.attisdropped,
    coalesce(l.distkey = a.attname, false),
    coalesce(array_position(l.sortkey, a.attname::text), 0)
    * case when l.is_interleaved and array_position(l.sortkey, a.attname::text) % 2 = 0 then -1 else 1 end,
    redshift.encoding_number(l.encodings ->> a.attname::text)
from pg_catalog.pg_attribute as a
left join redshift.table_layout as l on a.attrelid = l.relation
where not exists (select from redshift.late_binding_view as v where a.attrelid = v.relation)
union all
select
    m.storage, a.attname, a.atttypid, a.attlen, a.attnum, a.atttypmod, a.attnotnull, a.atthasdef, a.attisdropped,
    coalesce(l.distkey = a.attname, false), coalesce(array_position(l.sortkey, a.attname::text), 0), 0
from redshift.materialized as m
inner join pg_catalog.pg_attribute as a on m.view = a.attrelid
left join redshift.table_layout as l on m.view = l.relation;

create view redshift_catalog.pg_attrdef (oid, adrelid, adnum, adbin, adsrc) as
select oid, adrelid, adnum, adbin, pg_get_expr(adbin, adrelid) from pg_catalog.pg_attrdef;

create view redshift_catalog.pg_type (
    oid, typname, typnamespace, typowner, typlen, typtype, typnotnull, typbasetype
) as
select
    oid, case oid when 'bytea'::regtype then 'varbyte' else typname end, typnamespace, typowner, typlen, typtype, typnotnull,
    typbasetype
from pg_catalog.pg_type;

create view redshift_catalog.pg_description (objoid, classoid, objsubid, description) as
select objoid, classoid, objsubid, description from pg_catalog.pg_description;

create view redshift_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype) as
select classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype from pg_catalog.pg_depend;

create view redshift_catalog.pg_rewrite (oid, rulename, ev_class) as
select oid, rulename, ev_class from pg_catalog.pg_rewrite;

create view redshift_catalog.pg_proc (oid, proname, pronamespace, proowner) as
select p.oid, p.proname, p.pronamespace, p.proowner
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where redshift.is_shown(n.nspname);

-- Keys are not enforced and not kept; the checks that count bytes are this stand-in's own.
create view redshift_catalog.pg_constraint (
    oid, conname, connamespace, contype, conrelid, confrelid, conkey, confkey
) as
select oid, conname, connamespace, contype, conrelid, confrelid, conkey, confkey
from pg_catalog.pg_constraint
where contype in ('p', 'u', 'f');

create view redshift_catalog.pg_user (usename, usesysid, usecreatedb, usesuper) as
select usename, usesysid, usecreatedb, usesuper from pg_catalog.pg_user;

create view redshift_catalog.pg_group (groname, grosysid, grolist) as
select groname, grosysid, grolist from pg_catalog.pg_group;

create view redshift_catalog.pg_database (oid, datname, datdba) as
select oid, datname, datdba from pg_catalog.pg_database where datname = current_database();

create view redshift_catalog.pg_tables (schemaname, tablename, tableowner) as
select schemaname, tablename, tableowner from pg_catalog.pg_tables where redshift.is_shown(schemaname)
union all
select nspname, storage_name, pg_get_userbyid(relowner) from redshift.materialized;

create view redshift_catalog.pg_views (schemaname, viewname, viewowner, definition) as
select schemaname, viewname, viewowner, definition from pg_catalog.pg_views where redshift.is_shown(schemaname)
union all
select nspname, relname, pg_get_userbyid(relowner), definition from redshift.materialized;

create view redshift_catalog.pg_table_def (
    schemaname, tablename, "column", type, encoding, distkey, sortkey, "notnull"
) as
select
    n.nspname, c.relname, a.attname, redshift.format_type(a.atttypid, a.atttypmod),
    redshift.format_encoding(a.attencodingtype), a.attisdistkey, a.attsortkeyord, a.attnotnull
from redshift_catalog.pg_class as c
inner join redshift_catalog.pg_namespace as n on c.relnamespace = n.oid
inner join redshift_catalog.pg_attribute as a on c.oid = a.attrelid
where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and n.nspname = any (current_schemas(false));

-- information_schema
create view redshift_information_schema.tables (table_catalog, table_schema, table_name, table_type) as
select table_catalog, table_schema, table_name, table_type::text
from information_schema.tables
where redshift.is_shown(table_schema)
union all
select current_database(), nspname, relname, 'VIEW' from redshift.materialized;

create view redshift_information_schema.views (table_catalog, table_schema, table_name, view_definition) as
select table_catalog, table_schema, table_name, view_definition::text
from information_schema.views
where redshift.is_shown(table_schema)
union all
select current_database(), nspname, relname, definition from redshift.materialized;

create view redshift_information_schema.schemata (catalog_name, schema_name, schema_owner) as
select catalog_name, schema_name, schema_owner
from information_schema.schemata
where redshift.is_shown(schema_name);

create or replace view redshift.all_columns as
select
    table_catalog, table_schema, table_name, column_name, ordinal_position::integer as ordinal_position,
    column_default::text as column_default, is_nullable::text as is_nullable,
    case udt_name
        when 'super' then 'super' when 'text' then 'character varying' when 'bytea' then 'binary varying'
        else data_type
    end::text as data_type,
    case when udt_name in ('text', 'varchar') then coalesce(character_maximum_length, 256)
        else character_maximum_length end::integer as character_maximum_length,
    numeric_precision::integer as numeric_precision, numeric_precision_radix::integer as numeric_precision_radix,
    numeric_scale::integer as numeric_scale, datetime_precision::integer as datetime_precision,
    udt_name
from information_schema.columns
where redshift.is_shown(table_schema)
union all
select
    current_database(), m.nspname, m.relname, a.attname, a.attnum, null, case when a.attnotnull then 'NO' else 'YES' end,
    regexp_replace(redshift.format_type(a.atttypid, a.atttypmod), '[(].*?[)]', ''),
    case
        when a.atttypid in ('text'::regtype, 'varchar'::regtype)
            then coalesce(information_schema._pg_char_max_length(a.atttypid, a.atttypmod), 256)
        else information_schema._pg_char_max_length(a.atttypid, a.atttypmod)
    end,
    information_schema._pg_numeric_precision(a.atttypid, a.atttypmod),
    information_schema._pg_numeric_precision_radix(a.atttypid, a.atttypmod),
    information_schema._pg_numeric_scale(a.atttypid, a.atttypmod),
    information_schema._pg_datetime_precision(a.atttypid, a.atttypmod),
    t.typname
from redshift.materialized as m
inner join pg_catalog.pg_attribute as a on m.view = a.attrelid
inner join pg_catalog.pg_type as t on a.atttypid = t.oid
where a.attnum > 0;

create view redshift_information_schema.columns (
    table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
    character_maximum_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, udt_name
) as
select
    table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
    character_maximum_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, udt_name
from redshift.all_columns
where (table_schema::name, table_name::name) not in (
    select n.nspname, c.relname
    from redshift.late_binding_view as l
    inner join pg_catalog.pg_class as c on l.relation = c.oid
    inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
);

create view redshift_information_schema.table_constraints (
    constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name, constraint_type
) as
select
    constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name,
    constraint_type::text
from information_schema.table_constraints
where false;

create view redshift_information_schema.key_column_usage (
    constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name, column_name,
    ordinal_position
) as
select
    constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name, column_name,
    ordinal_position::integer
from information_schema.key_column_usage
where false;

-- Redshift's own views
create view redshift_catalog.svv_table_info (
    "database", "schema", table_id, "table", encoded, diststyle, sortkey1, max_varchar, sortkey1_enc, sortkey_num,
    "size", pct_used, unsorted, stats_off, tbl_rows, skew_sortkey1, skew_rows, estimated_visible_rows
) as
select
    current_database()::text,
    n.nspname::text,
    c.oid,
    c.relname::text,
    case when l.encodings is null or l.encodings = '{}' then 'Y, AUTO(ENCODE)' else 'Y' end,
    case
        when l.diststyle = 'key' then 'KEY(' || l.distkey || ')'
        when l.diststyle in ('all', 'even') then upper(l.diststyle)
        else 'AUTO(ALL)'
    end,
    case
        when l.sortkey is null then 'AUTO(SORTKEY)' when l.is_interleaved then 'INTERLEAVED' else l.sortkey[1]
    end,
    coalesce(
        (
            select max(case when a.atttypmod > 0 then a.atttypmod - 4 else 256 end)
            from pg_catalog.pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and a.atttypid in ('varchar'::regtype, 'text'::regtype)
        ),
        0
    ),
    'none'::text,
    coalesce(cardinality(l.sortkey), 0),
    ceil(pg_total_relation_size(c.oid) / 1048576.0)::bigint,
    0::numeric(10, 4),
    null::numeric(5, 2),
    null::numeric(5, 2),
    greatest(c.reltuples, 0)::numeric(38, 0),
    null::numeric(19, 2),
    null::numeric(19, 2),
    greatest(c.reltuples, 0)::numeric(38, 0)
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
left join redshift.table_layout as l on c.oid = l.relation
where c.relkind in ('r', 'm') and redshift.is_shown(n.nspname) and n.nspname not in ('pg_catalog', 'information_schema');

create view redshift_catalog.svv_tables (table_catalog, table_schema, table_name, table_type, remarks) as
select t.table_catalog, t.table_schema, t.table_name, t.table_type, obj_description(c.oid, 'pg_class')
from redshift_information_schema.tables as t
inner join pg_catalog.pg_namespace as n on t.table_schema = n.nspname
inner join pg_catalog.pg_class as c on n.oid = c.relnamespace and t.table_name = c.relname;

create view redshift_catalog.svv_columns (
    table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
    character_maximum_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision,
    interval_type, interval_precision, character_set_catalog, character_set_schema, character_set_name,
    collation_catalog, collation_schema, collation_name, domain_name, remarks
) as
select
    i.table_catalog, i.table_schema, i.table_name, i.column_name, i.ordinal_position, i.column_default,
    i.is_nullable, i.data_type, i.character_maximum_length, i.numeric_precision, i.numeric_precision_radix,
    i.numeric_scale, i.datetime_precision, null::text, null::text, null::text, null::text, null::text, null::text,
    null::text, null::text, null::text, col_description(c.oid, i.ordinal_position)
from redshift.all_columns as i
inner join pg_catalog.pg_namespace as n on i.table_schema = n.nspname
inner join pg_catalog.pg_class as c on n.oid = c.relnamespace and i.table_name = c.relname;

create view redshift_catalog.svv_redshift_columns (
    database_name, schema_name, table_name, column_name, ordinal_position, data_type, column_default, is_nullable,
    encoding, distkey, sortkey, column_acl, remarks
) as
select
    current_database()::text, n.nspname::text, c.relname::text, a.attname::text, a.attnum::integer,
    redshift.format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid),
    case when a.attnotnull then 'NO' else 'YES' end, redshift.format_encoding(a.attencodingtype), a.attisdistkey,
    a.attsortkeyord, null::text, col_description(c.oid, a.attnum)
from redshift_catalog.pg_class as c
inner join redshift_catalog.pg_namespace as n on c.relnamespace = n.oid
inner join redshift_catalog.pg_attribute as a on c.oid = a.attrelid
left join pg_catalog.pg_attrdef as d on a.attrelid = d.adrelid and a.attnum = d.adnum
where c.relkind in ('r', 'v') and a.attnum > 0 and not a.attisdropped
    and n.nspname not in ('pg_catalog', 'information_schema')
    and c.oid not in (select storage from redshift.materialized);

create view redshift_catalog.svv_redshift_tables (
    database_name, schema_name, table_name, table_type, table_acl, remarks, owner
) as
select
    current_database()::text, n.nspname::text, c.relname::text, case c.relkind when 'r' then 'TABLE' else 'VIEW' end,
    array_to_string(c.relacl, ','), obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner)::text
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where c.relkind in ('r', 'v', 'm') and redshift.is_shown(n.nspname)
    and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_temp%';

-- There is one database, without external tables.
create view redshift_catalog.svv_all_tables (
    database_name, schema_name, table_name, table_type, table_acl, remarks
) as
select database_name, schema_name, table_name, table_type, table_acl, remarks
from redshift_catalog.svv_redshift_tables;

create view redshift_catalog.svv_all_columns (
    database_name, schema_name, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
    character_maximum_length, numeric_precision, numeric_scale, remarks
) as
select
    table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
    character_maximum_length, numeric_precision, numeric_scale, remarks
from redshift_catalog.svv_columns
where table_schema not in ('pg_catalog', 'information_schema');

create view redshift_catalog.svv_relation_privileges (
    namespace_name, relation_name, privilege_type, identity_id, identity_name, identity_type, admin_option
) as
select
    n.nspname::text, c.relname::text, acl.privilege_type, acl.grantee,
    case acl.grantee when 0 then 'public' else pg_get_userbyid(acl.grantee)::text end,
    redshift.identity_type(acl.grantee),
    acl.is_grantable
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
cross join aclexplode(c.relacl) as acl
where c.relkind in ('r', 'v', 'm') and redshift.is_shown(n.nspname);

create view redshift_catalog.svv_schema_privileges (
    namespace_name, privilege_type, identity_id, identity_name, identity_type, admin_option
) as
select
    n.nspname::text, acl.privilege_type, acl.grantee,
    case acl.grantee when 0 then 'public' else pg_get_userbyid(acl.grantee)::text end,
    redshift.identity_type(acl.grantee), acl.is_grantable
from pg_catalog.pg_namespace as n
cross join aclexplode(n.nspacl) as acl
where redshift.is_shown(n.nspname);

create view redshift_catalog.svv_default_privileges (
    schema_name, object_type, owner_id, owner_name, owner_type, privilege_type, grantee_id, grantee_name, grantee_type,
    admin_option
) as
select
    n.nspname::text, case d.defaclobjtype when 'r' then 'RELATION' when 'f' then 'FUNCTION' end, d.defaclrole,
    pg_get_userbyid(d.defaclrole)::text, 'user', acl.privilege_type, acl.grantee,
    case acl.grantee when 0 then 'public' else pg_get_userbyid(acl.grantee)::text end,
    redshift.identity_type(acl.grantee), acl.is_grantable
from pg_catalog.pg_default_acl as d
inner join pg_catalog.pg_namespace as n on d.defaclnamespace = n.oid
cross join aclexplode(d.defaclacl) as acl
where d.defaclobjtype in ('r', 'f');

create view redshift_catalog.svv_roles (role_id, role_name, role_owner, external_id) as
select oid, rolname::text, null::text, null::text
from pg_catalog.pg_roles
where not rolcanlogin and rolname not like 'pg\_%';

-- There are no external schemas here.
create view redshift_catalog.svv_external_schemas (esoid, eskind, schemaname, esowner, databasename, esoptions) as
select null::oid, null::smallint, null::name, null::integer, null::text, null::text where false;

create view redshift_catalog.svv_external_tables (
    schemaname, tablename, tabletype, location, input_format, output_format, serialization_lib, serde_parameters,
    compressed, parameters
) as
select
    null::text, null::text, null::text, null::text, null::text, null::text, null::text, null::text, null::integer,
    null::text
where false;

create view redshift_catalog.svv_external_columns (
    schemaname, tablename, columnname, external_type, columnnum, part_key, is_nullable
) as
select null::text, null::text, null::text, null::text, null::integer, null::integer, null::text where false;

-- Each is computed whole when it is refreshed. Whether one is stale is not known.
create view redshift_catalog.svv_mv_info (
    database_name, schema_name, user_name, name, is_stale, owner_user_name, state, autorewrite, autorefresh
) as
select
    current_database()::text, nspname::text, pg_get_userbyid(relowner)::text, relname::text, null::text,
    pg_get_userbyid(relowner)::text, 0, null::text, case when is_auto_refresh then 't' else 'f' end
from redshift.materialized;

create view redshift_catalog.stv_mv_info (
    db_name, schema, name, updated_upto_xid, is_stale, owner_user_name, state, autorewrite, autorefresh
) as
select
    database_name, schema_name, name, null::bigint, is_stale, owner_user_name, state, autorewrite, autorefresh
from redshift_catalog.svv_mv_info;

create or replace function redshift.pg_get_late_binding_view_cols() returns setof record language sql stable as $$
    select n.nspname, c.relname, a.attname, redshift.format_type(a.atttypid, a.atttypmod)::character varying, a.attnum::integer
    from redshift.late_binding_view as l
    inner join pg_catalog.pg_class as c on l.relation = c.oid
    inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    inner join pg_catalog.pg_attribute as a on c.oid = a.attrelid
    where l.is_bound and a.attnum > 0
$$;

-- SHOW
create or replace function redshift.show_schemas(text) returns table (
    database_name text, schema_name text, schema_owner integer, schema_type text, schema_acl text, source_database text,
    schema_option text
) language sql stable as $$
    select current_database()::text, nspname::text, nspowner::integer, 'local', array_to_string(nspacl, ','), ''::text, ''::text
    from redshift_catalog.pg_namespace
    where $1 = current_database() and nspname not like 'pg\_%' and nspname <> 'information_schema'
    order by nspname
$$;
drop function if exists redshift.show_tables(text, text);  -- its columns have been others
create or replace function redshift.show_tables(text, text) returns table (
    database_name text, schema_name text, table_name text, table_type text, table_acl text, remarks text,
    owner text, table_subtype text
) language sql stable as $$
    select
        t.database_name, t.schema_name, t.table_name, t.table_type, t.table_acl, t.remarks, t.owner,
        case
            when t.table_type = 'TABLE' then 'REGULAR TABLE'
            when c.relkind = 'm' then 'MATERIALIZED VIEW'
            when l.relation is not null then 'LATE BINDING VIEW'
            else 'REGULAR VIEW'
        end
    from redshift_catalog.svv_redshift_tables as t
    inner join pg_catalog.pg_namespace as n on t.schema_name = n.nspname
    inner join pg_catalog.pg_class as c on n.oid = c.relnamespace and t.table_name = c.relname
    left join redshift.late_binding_view as l on c.oid = l.relation
    where $1 = current_database() and t.schema_name = $2
    order by t.table_name
$$;
create or replace function redshift.show_columns(text, text, text) returns table (
    database_name text, schema_name text, table_name text, column_name text, ordinal_position integer,
    column_default text, is_nullable text, data_type text, character_maximum_length integer, numeric_precision integer,
    numeric_scale integer, remarks text
) language sql stable as $$
    select
        table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
        character_maximum_length, numeric_precision, numeric_scale, remarks
    from redshift_catalog.svv_columns
    where $1 = current_database() and table_schema = $2 and table_name = $3
    order by ordinal_position
$$;
create or replace function redshift.show_grants(text, text, text) returns table (
    database_name text, schema_name text, object_name text, object_type text, privilege_type text, identity_id integer,
    identity_name text, identity_type text, admin_option boolean, privilege_scope text
) language sql stable as $$
    select
        current_database()::text, namespace_name, relation_name, 'TABLE', privilege_type, identity_id::integer,
        identity_name, identity_type, admin_option, 'TABLE'
    from redshift_catalog.svv_relation_privileges
    where $1 = current_database() and namespace_name = $2 and relation_name = $3
$$;

-- A system view's name means ours.
create or replace function redshift.relation_named(text) returns text language sql stable as $$
    select case
        when to_regclass('redshift_catalog.' || $1) is not null and strpos($1, '.') = 0 then 'redshift_catalog.' || $1
        else $1
    end
$$;
create or replace function redshift.has_table_privilege(text, text) returns boolean language sql stable as $$
    select pg_catalog.has_table_privilege(redshift.relation_named($1), $2)
$$;
create or replace function redshift.has_table_privilege(name, text, text) returns boolean language sql stable as $$
    select pg_catalog.has_table_privilege($1, redshift.relation_named($2), $3)
$$;

grant select on all tables in schema redshift_catalog, redshift_information_schema to public;
