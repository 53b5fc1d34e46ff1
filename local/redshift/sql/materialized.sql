-- Owns what PostgreSQL's materialized views lack beside Redshift's: AUTO REFRESH is kept and shown, and nothing is
-- refreshed by it (Redshift does so when it finds the time); a change that Redshift does not know is refused. The
-- catalog shows each as Redshift does, as a view and the table mv_tbl__<name>__0 that holds its rows (catalog.sql).

create table if not exists redshift.auto_refresh (relation oid primary key);
grant select on redshift.auto_refresh to public;

create or replace procedure redshift.set_auto_refresh(name text, is_on boolean) language plpgsql security definer
    set search_path = pg_catalog as $$
declare
    view pg_class := c from pg_class as c where c.oid = name::regclass;
begin
    if view.relkind <> 'm' then
        raise exception using errcode = 'wrong_object_type', message = format('"%s" is not a materialized view', view.relname);
    elsif not pg_has_role(session_user, view.relowner, 'usage') then
        raise exception using
            errcode = 'insufficient_privilege', message = format('must be owner of materialized view %s', view.relname);
    end if;
    delete from redshift.auto_refresh where relation = view.oid;
    insert into redshift.auto_refresh select view.oid where is_on;
end
$$;

create or replace procedure redshift.comment_on_view(name text, comment text) language plpgsql as $$
begin
    execute format(
        'comment on %s view %s is %L',
        (select 'materialized' from pg_catalog.pg_class where oid = to_regclass(name) and relkind = 'm'), name, comment
    );
end
$$;

create or replace function redshift.keep_materialized_views() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
declare
    command record;
begin
    for command in select * from pg_event_trigger_ddl_commands() where object_type like 'materialized view%' loop
        if tg_tag <> 'CREATE MATERIALIZED VIEW' then
            raise exception using
                errcode = 'feature_not_supported', message = format('ALTER TABLE of the materialized view %s', command.object_identity);
        elsif current_query() ~ '/\*redshift auto refresh\*/' then
            insert into redshift.auto_refresh values (command.objid);
        end if;
    end loop;
end
$$;
create or replace function redshift.forget_materialized_views() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
begin
    delete from redshift.auto_refresh where relation in (select objid from pg_event_trigger_dropped_objects());
end
$$;
drop event trigger if exists redshift_keep_materialized_views;
drop event trigger if exists redshift_forget_materialized_views;
create event trigger redshift_keep_materialized_views on ddl_command_end
    when tag in ('CREATE MATERIALIZED VIEW', 'ALTER TABLE', 'ALTER MATERIALIZED VIEW')
    execute function redshift.keep_materialized_views();
create event trigger redshift_forget_materialized_views on sql_drop
    execute function redshift.forget_materialized_views();

-- The table that holds one's rows, under the number of the view's row type, which nothing else uses.
create or replace view redshift.materialized as
select
    c.oid as view, c.reltype as storage, ('mv_tbl__' || c.relname || '__0')::name as storage_name, n.nspname, c.relname,
    c.relowner, format('create materialized view %I.%I as (%s)', n.nspname, c.relname, rtrim(pg_get_viewdef(c.oid), ';'))
        as definition,
    a.relation is not null as is_auto_refresh
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
left join redshift.auto_refresh as a on c.oid = a.relation
where c.relkind = 'm';
grant select on redshift.materialized to public;
