-- Owns views WITH NO SCHEMA BINDING. PostgreSQL binds every view, so around each DDL statement that may touch what such
-- a view reads, it is a view of the same columns that reads nothing and fails when it is queried; then it is bound anew
-- by the names in its text. It stays unbound while they lead nowhere. Run before catalog.sql.

create table if not exists redshift.late_binding_view (
    relation oid primary key,
    query text not null,
    columns text not null,
    problem text not null default '',
    is_bound boolean not null default true
);
grant select on redshift.late_binding_view to public;

create or replace function redshift.unbound(view oid) returns boolean language plpgsql stable as $$
begin
    raise exception using
        errcode = 'undefined_table',
        message = (select l.problem from redshift.late_binding_view as l where l.relation = $1);
end
$$;

-- What the view reads and what that reads, by name: whoever names none of it in a statement does not touch the view.
create or replace function redshift.names_read_by(view oid) returns setof text language sql stable as $$
    with recursive source as (
        select $1 as relation
        union
        select d.refobjid
        from source as s
        inner join pg_catalog.pg_rewrite as r on s.relation = r.ev_class
        inner join pg_catalog.pg_depend as d on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
        where d.refclassid = 'pg_class'::regclass and d.refobjid <> s.relation
    )
    select unnest(array[c.relname::text, n.nspname::text])
    from source as s
    inner join pg_catalog.pg_class as c on s.relation = c.oid
    inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where s.relation <> $1
$$;

create or replace procedure redshift.unbind_view(view oid, problem text) language plpgsql security definer
    set search_path = pg_catalog set stand_in.is_binding = 'on' as $$
declare
    outputs text := (
        select coalesce(string_agg(format('null::%s as %I', format_type(a.atttypid, a.atttypmod), a.attname), ', ' order by a.attnum), '')
        from pg_attribute as a
        where a.attrelid = view and a.attnum > 0
    );
begin
    execute format('create or replace view %s as select %s where redshift.unbound(%s)', view::regclass, outputs, view);
    update redshift.late_binding_view as l set is_bound = false, problem = $2 where l.relation = view;
end
$$;

create or replace procedure redshift.bind_view(view oid) language plpgsql security definer
    set search_path = pg_catalog set stand_in.is_binding = 'on' as $$
declare
    kept redshift.late_binding_view := l from redshift.late_binding_view as l where l.relation = view;
    name text := view::regclass::text;
    definition text := format('view %s%s as %s', name, kept.columns, kept.query);
    granted record;
begin
    begin
        execute 'create or replace ' || definition;
    exception when invalid_table_definition then  -- its columns are others than they were
        select c.relowner::regrole::text as owner, c.relacl as acl, obj_description(view, 'pg_class') as comment
        into granted
        from pg_class as c where c.oid = view;
        execute 'drop view ' || name;
        execute 'create ' || definition;
        execute format('alter view %s owner to %s', name, granted.owner);
        execute format('comment on view %s is %L', name, granted.comment);
        execute coalesce(
            (
                select string_agg(
                    format(
                        'grant %s on %s to %s', a.privilege_type, name,
                        case a.grantee when 0 then 'public' else a.grantee::regrole::text end
                    ), '; '
                )
                from aclexplode(granted.acl) as a
            ),
            'select'
        );
        insert into redshift.late_binding_view (relation, query, columns)
        values (to_regclass(name), kept.query, kept.columns);
        return;
    end;
    update redshift.late_binding_view as l set is_bound = true, problem = '' where l.relation = view;
exception when syntax_error_or_access_rule_violation or invalid_schema_name then
    update redshift.late_binding_view as l set problem = sqlerrm where l.relation = view;
end
$$;

-- CREATE [OR REPLACE] VIEW ... WITH NO SCHEMA BINDING. What it reads need not be there.
create or replace procedure redshift.keep_late_binding_view(view oid, query text, columns text) language sql
    security definer as $$
    insert into redshift.late_binding_view (relation, query, columns) values (view, query, columns)
    on conflict (relation) do update set query = excluded.query, columns = excluded.columns
$$;
create or replace procedure redshift.create_late_binding_view(
    name text, or_replace boolean, columns text, query text
) language plpgsql as $$
declare
    is_new boolean := not or_replace or to_regclass(name) is null;
begin
    if is_new then
        execute format('create view %s as select', name);
    end if;
    call redshift.keep_late_binding_view(to_regclass(name), query, columns);
    call redshift.unbind_view(to_regclass(name), '');
    call redshift.bind_view(to_regclass(name));
end
$$;

create or replace function redshift.unbind_views() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
declare
    view oid;
begin
    for view in
        select l.relation
        from redshift.late_binding_view as l
        where l.is_bound and exists (
            select from redshift.names_read_by(l.relation) as name where strpos(lower(current_query()), lower(name)) > 0
        )
    loop
        call redshift.unbind_view(view, '');
    end loop;
end
$$;
create or replace function redshift.bind_views() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
declare
    view oid;
begin
    if current_setting('stand_in.is_binding', true) = 'on' then
        return;
    end if;
    delete from redshift.late_binding_view  -- what CREATE OR REPLACE VIEW made a view with schema binding
    where relation in (select objid from pg_event_trigger_ddl_commands() where command_tag = 'CREATE VIEW');
    update redshift.late_binding_view set problem = '' where not is_bound;
    loop  -- to bind one whose columns are others unbinds those that read it
        select l.relation into view
        from redshift.late_binding_view as l
        where not l.is_bound and l.problem = ''
        order by l.relation limit 1;
        exit when view is null;
        call redshift.bind_view(view);
    end loop;
end
$$;
create or replace function redshift.forget_views() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
begin
    delete from redshift.late_binding_view where relation in (select objid from pg_event_trigger_dropped_objects());
end
$$;
drop event trigger if exists redshift_unbind_views;
drop event trigger if exists redshift_bind_views;
drop event trigger if exists redshift_forget_views;
create event trigger redshift_unbind_views on ddl_command_start
    when tag in ('DROP TABLE', 'DROP VIEW', 'DROP SCHEMA', 'ALTER TABLE', 'ALTER SCHEMA') execute function redshift.unbind_views();
create event trigger redshift_bind_views on ddl_command_end
    when tag in (
        'CREATE TABLE', 'CREATE TABLE AS', 'CREATE VIEW', 'CREATE SCHEMA', 'ALTER TABLE', 'ALTER SCHEMA', 'DROP TABLE',
        'DROP VIEW', 'DROP SCHEMA'
    ) execute function redshift.bind_views();
create event trigger redshift_forget_views on sql_drop execute function redshift.forget_views();
