-- Owns SUPER: the type, its casts, comparisons, navigation, unnesting and inspection, with Redshift's lax semantics.
-- Source: "Querying semistructured data" and "Limitations" of SUPER in the Redshift developer guide.

-- The script may be run again over an older one: functions and views are replaced, SUPER and all data stay.
create schema if not exists redshift;
grant usage on schema redshift to public;

-- A type of our own keeps every jsonb operator and function away from SUPER values. It gets Redshift's OID 4000 by
-- laying its shell under that number before it is defined.
do $define$
begin
    if to_regtype('pg_catalog.super') is not null then
        return;
    end if;
    create type pg_catalog.redshift_shell;
    insert into pg_type
    select (populated).*
    from (
        select jsonb_populate_record(
            template,
            '{"oid": 4000, "typname": "super", "typtype": "p", "typcategory": "P"}'
        ) as populated
        from pg_type as template
        where template.typname = 'redshift_shell'
    ) as shell;
    drop type pg_catalog.redshift_shell;
    create function redshift.super_in(cstring) returns super language internal immutable strict parallel safe
        as 'jsonb_in';
    create function redshift.super_out(super) returns cstring language internal immutable strict parallel safe
        as 'jsonb_out';
    create function redshift.super_recv(internal) returns super language internal immutable strict parallel safe
        as 'jsonb_recv';
    create function redshift.super_send(super) returns bytea language internal immutable strict parallel safe
        as 'jsonb_send';
    create type pg_catalog.super (
        input = redshift.super_in,
        output = redshift.super_out,
        receive = redshift.super_recv,
        send = redshift.super_send,
        internallength = variable,
        alignment = int4,
        storage = extended
    );
    create cast (super as jsonb) without function;
    create cast (jsonb as super) without function as assignment;
end
$define$;

-- The message must always depend on a value: PostgreSQL computes calls with constant arguments before it needs them.
create or replace function redshift.fail(code text, message text) returns boolean language plpgsql immutable strict parallel safe as $$
begin
    raise exception using errcode = code, message = message;
end
$$;

-- Navigation. What is not there, and a JSON null, is null.
create or replace function redshift.navigate(super, text) returns super language sql immutable parallel safe
    return nullif($1::jsonb -> $2, 'null'::jsonb)::super;
create or replace function redshift.navigate(super, integer) returns super language sql immutable parallel safe
    return nullif(case when jsonb_typeof($1::jsonb) = 'array' then $1::jsonb -> $2 end, 'null'::jsonb)::super;

-- Unnesting. What Redshift makes of a scalar here is not documented, so it is refused.
create or replace function redshift.elements(super) returns jsonb language sql immutable parallel safe
    return case
        when $1 is null or $1::jsonb = 'null'::jsonb then '[]'::jsonb
        when jsonb_typeof($1::jsonb) = 'array' then $1::jsonb
        when redshift.fail('0A000', 'unnesting a SUPER value that is no array: ' || jsonb_typeof($1::jsonb)) then null
    end;
create or replace function redshift.elements_of(super) returns setof super
    language sql immutable parallel safe
begin atomic
    select nullif(element.value, 'null'::jsonb)::super from jsonb_array_elements(redshift.elements($1)) as element;
end;
create or replace function redshift.elements_with_index_of(super) returns table (value super, index bigint)
    language sql immutable parallel safe
begin atomic
    select nullif(element.value, 'null'::jsonb)::super, element.ordinality - 1
    from jsonb_array_elements(redshift.elements($1)) with ordinality as element;
end;

-- Reading text leniently. In PL/pgSQL, because PostgreSQL computes a cast of a constant before it looks at the guard.
do $$
declare
    kind text;
begin
    foreach kind in array array[
        'numeric', 'float8', 'float4', 'int8', 'bool', 'date', 'time', 'timestamp', 'timestamptz', 'json'
    ] loop
        execute format(
            'create or replace function redshift.read_%1$s(text) returns %1$s language plpgsql immutable strict'
            ' parallel safe as $body$ begin if pg_input_is_valid($1, %1$L) then return $1::%1$s; end if;'
            ' return null; end $body$',
            kind
        );
    end loop;
end
$$;

-- Casts from SUPER: a value of the wrong kind gives null, not an error.
create or replace function redshift.scalar_text(super) returns text language sql immutable parallel safe
    return case when jsonb_typeof($1::jsonb) in ('string', 'number') then $1::jsonb #>> '{}' end;
create or replace function redshift.super_to_varchar(super) returns character varying language sql immutable parallel safe
    return case
        when jsonb_typeof($1::jsonb) = 'boolean'
            and redshift.fail('0A000', 'a cast of a SUPER boolean to VARCHAR is not supported here: ' || ($1::jsonb)::text)
            then null
        else redshift.scalar_text($1)::character varying
    end;
create or replace function redshift.super_to_text(super) returns text language sql immutable parallel safe
    return redshift.super_to_varchar($1)::text;
create or replace function redshift.super_to_numeric(super) returns numeric language sql immutable parallel safe
    return redshift.read_numeric(redshift.scalar_text($1));
create or replace function redshift.super_to_float8(super) returns double precision language sql immutable parallel safe
    return redshift.read_float8(redshift.scalar_text($1));
create or replace function redshift.super_to_float4(super) returns real language sql immutable parallel safe
    return redshift.read_float4(redshift.scalar_text($1));
create or replace function redshift.whole(super) returns numeric language sql immutable parallel safe
    return case jsonb_typeof($1::jsonb)
        when 'number' then round(($1::jsonb)::numeric)
        when 'boolean' then (($1::jsonb)::boolean)::integer::numeric
        when 'string' then redshift.read_int8(redshift.scalar_text($1))
    end;
create or replace function redshift.super_to_int8(super) returns bigint language sql immutable parallel safe
    return case
        when redshift.whole($1) between -9223372036854775808 and 9223372036854775807 then redshift.whole($1)::bigint
    end;
create or replace function redshift.super_to_int4(super) returns integer language sql immutable parallel safe
    return case when redshift.whole($1) between -2147483648 and 2147483647 then redshift.whole($1)::integer end;
create or replace function redshift.super_to_int2(super) returns smallint language sql immutable parallel safe
    return case when redshift.whole($1) between -32768 and 32767 then redshift.whole($1)::smallint end;
create or replace function redshift.super_to_bool(super) returns boolean language sql immutable parallel safe
    return case jsonb_typeof($1::jsonb)
        when 'boolean' then ($1::jsonb)::boolean
        when 'number' then case when scale(($1::jsonb)::numeric) = 0 then ($1::jsonb)::numeric <> 0 end
        when 'string' then redshift.read_bool(redshift.scalar_text($1))
    end;
create or replace function redshift.date_text(super) returns text language sql immutable parallel safe
    return case when jsonb_typeof($1::jsonb) = 'string' then $1::jsonb #>> '{}' end;
create or replace function redshift.super_to_date(super) returns date language sql stable parallel safe
    return redshift.read_date(redshift.date_text($1));
create or replace function redshift.super_to_time(super) returns time language sql stable parallel safe
    return redshift.read_time(redshift.date_text($1));
create or replace function redshift.super_to_timestamp(super) returns timestamp language sql stable parallel safe
    return redshift.read_timestamp(redshift.date_text($1));
create or replace function redshift.super_to_timestamptz(super) returns timestamptz language sql stable parallel safe
    return redshift.read_timestamptz(redshift.date_text($1));

-- Casts to SUPER. A string becomes a SUPER string; dates cannot be cast.
create or replace function redshift.to_super(text) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;
create or replace function redshift.to_super(character varying) returns super language sql immutable strict parallel safe
    return to_jsonb($1::text)::super;
create or replace function redshift.to_super(numeric) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;
create or replace function redshift.to_super(double precision) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;
create or replace function redshift.to_super(real) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;
create or replace function redshift.to_super(bigint) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;
create or replace function redshift.to_super(integer) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;
create or replace function redshift.to_super(smallint) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;
create or replace function redshift.to_super(boolean) returns super language sql immutable strict parallel safe
    return to_jsonb($1)::super;

do $$
declare
    kind text;
    to_super boolean;
begin
    foreach kind in array array[
        'text', 'varchar', 'numeric', 'float8', 'float4', 'int8', 'int4', 'int2', 'bool', 'date', 'time', 'timestamp',
        'timestamptz'
    ] loop
        foreach to_super in array array[false, true] loop
            continue when exists (
                select from pg_cast
                where castsource = (case when to_super then kind else 'super' end)::regtype
                    and casttarget = (case when to_super then 'super' else kind end)::regtype
            );
            if not to_super then
                execute format('create cast (super as %1$s) with function redshift.super_to_%1$s(super)', kind);
            elsif kind !~ '^(date|time)' then
                execute format('create cast (%1$s as super) with function redshift.to_super(%1$s) as assignment', kind);
            end if;
        end loop;
    end loop;
end
$$;

-- Order among kinds: boolean, number, string, array, object. Used for ORDER BY, GROUP BY, DISTINCT and UNION.
create or replace function redshift.kind_rank(jsonb) returns integer language sql immutable parallel safe
    return case jsonb_typeof($1)
        when 'null' then 0 when 'boolean' then 1 when 'number' then 2
        when 'string' then 3 when 'array' then 4 when 'object' then 5
    end;
create or replace function redshift.super_cmp(super, super) returns integer language sql immutable strict parallel safe
    return case
        when redshift.kind_rank($1::jsonb) <> redshift.kind_rank($2::jsonb)
            then sign(redshift.kind_rank($1::jsonb) - redshift.kind_rank($2::jsonb))::integer
        else jsonb_cmp($1::jsonb, $2::jsonb)
    end;
create or replace function redshift.super_lt(super, super) returns boolean language sql immutable strict parallel safe
    return redshift.super_cmp($1, $2) < 0;
create or replace function redshift.super_le(super, super) returns boolean language sql immutable strict parallel safe
    return redshift.super_cmp($1, $2) <= 0;
create or replace function redshift.super_eq(super, super) returns boolean language sql immutable strict parallel safe
    return $1::jsonb = $2::jsonb;
create or replace function redshift.super_ge(super, super) returns boolean language sql immutable strict parallel safe
    return redshift.super_cmp($1, $2) >= 0;
create or replace function redshift.super_gt(super, super) returns boolean language sql immutable strict parallel safe
    return redshift.super_cmp($1, $2) > 0;
-- Kept out of the search path: a constant beside a SUPER value must not be read as JSON.
do $define$
begin
    if to_regoperator('redshift.=(super,super)') is not null then
        return;
    end if;
    create operator redshift.< (leftarg = super, rightarg = super, function = redshift.super_lt);
    create operator redshift.<= (leftarg = super, rightarg = super, function = redshift.super_le);
    create operator redshift.= (
        leftarg = super, rightarg = super, function = redshift.super_eq, commutator = operator(redshift.=)
    );
    create operator redshift.>= (leftarg = super, rightarg = super, function = redshift.super_ge);
    create operator redshift.> (leftarg = super, rightarg = super, function = redshift.super_gt);
    create operator class redshift.super_order default for type super using btree as
        operator 1 redshift.< (super, super),
        operator 2 redshift.<= (super, super),
        operator 3 redshift.= (super, super),
        operator 4 redshift.>= (super, super),
        operator 5 redshift.> (super, super),
        function 1 redshift.super_cmp(super, super);
end
$define$;

-- Comparisons in queries: equality between kinds is false, order between kinds is null.
create or replace function redshift.as_super(anyelement) returns super language sql immutable strict parallel safe
    as 'select to_jsonb($1)::super';
create or replace function redshift.as_super(super) returns super language sql immutable strict parallel safe
    return $1;
create or replace function redshift.same_kind(super, super) returns boolean language sql immutable strict parallel safe
    return case when jsonb_typeof($1::jsonb) = jsonb_typeof($2::jsonb) then true end;
do $$
declare
    kind text;
    sign text;
    name text;
    body text;
    sides text[];
begin
    foreach kind in array array['text', 'bigint', 'numeric', 'double precision', 'boolean', 'super'] loop
        foreach sign in array array['=', '<>', '<', '<=', '>', '>='] loop
            foreach sides slice 1 in array array[array['super', kind], array[kind, 'super']] loop
                -- super beside super: the right side is declared anyelement, so that no constant can match it.
                if kind = 'super' and sides = array['super', 'super'] then
                    sides := array['super', 'anynonarray'];
                end if;
                name := format('redshift.%I', 'compare ' || sign || ' ' || array_to_string(sides, ' '));
                continue when to_regprocedure(format('%s(%s,%s)', name, sides[1], sides[2])) is not null;
                body := case sign
                    when '=' then 'redshift.super_eq(redshift.as_super($1), redshift.as_super($2))'
                    when '<>' then 'not redshift.super_eq(redshift.as_super($1), redshift.as_super($2))'
                    else format(
                        'case when redshift.same_kind(redshift.as_super($1), redshift.as_super($2))'
                        ' then redshift.super_cmp(redshift.as_super($1), redshift.as_super($2)) %s 0 end',
                        sign
                    )
                end;
                execute format(
                    'create function %s(%s, %s) returns boolean language sql immutable strict parallel safe'
                    ' as $body$ select %s $body$',
                    name, sides[1], sides[2], body
                );
                execute format(
                    'create operator pg_catalog.%s (leftarg = %s, rightarg = %s, function = %s)',
                    sign, sides[1], sides[2], name
                );
            end loop;
        end loop;
    end loop;
end
$$;

-- Functions on SUPER and on JSON text.
create or replace function redshift.json_parse(text) returns super language sql immutable strict parallel safe
    return case
        when octet_length($1) <= 65535 then nullif($1::jsonb, 'null'::jsonb)::super
        when redshift.fail('22001', 'JSON_PARSE takes a VARCHAR, of 65535 bytes at most, not ' || octet_length($1)) then null
    end;
-- Redshift's JSON_SERIALIZE fails above VARCHAR's limit; PostgreSQL's text has none.
create or replace function redshift.within_varchar(text) returns character varying
language plpgsql immutable strict parallel safe as $$
begin
    if octet_length($1) > 65535 then
        raise exception using errcode = '22001', message = 'the result exceeds the VARCHAR limit of 65535 bytes';
    end if;
    return $1;
end $$;
-- jsonb prints a space after each colon and comma; Redshift does not. Strings are matched whole, so they stay intact.
create or replace function redshift.json_compact(text) returns text language sql immutable strict parallel safe
    return case
        -- No string of it holds `: ` or `, `: five times faster than the general way.
        when $1 ~ '^(?:[^"]|"(?:[^"\\:,]|\\.|[:,]+(?:[^ "\\:,]|\\.))*[:,]*")*$'
            then replace(replace($1, ': ', ':'), ', ', ',')
        else regexp_replace($1, '("(?:[^"\\]|\\.)*")|([:,]) ', '\1\2', 'g')
    end;
create or replace function redshift.json_text(super) returns text language sql immutable strict parallel safe
    return redshift.json_compact(($1::jsonb)::text);
create or replace function redshift.json_serialize(super) returns character varying language sql immutable strict parallel safe
    return redshift.within_varchar(redshift.json_text($1));
-- Both take what JSON_SERIALIZE refuses: https://docs.aws.amazon.com/redshift/latest/dg/r_json_size.html
create or replace function redshift.json_size(super) returns integer language sql immutable strict parallel safe
    return octet_length(redshift.json_text($1));
create or replace function redshift.json_serialize_to_varbyte(super) returns bytea language sql immutable strict parallel safe
    return convert_to(redshift.json_text($1), 'UTF8');
create or replace function redshift.from_varbyte(bytea, text) returns character varying language sql immutable strict parallel safe
    return redshift.within_varchar(case lower($2)
        when 'hex' then encode($1, 'hex')
        when 'utf8' then convert_from($1, 'UTF8')
        when 'utf-8' then convert_from($1, 'UTF8')
        else redshift.fail('22023', 'from_varbyte: unknown format ' || $2)::text
    end);
create or replace function redshift.json_typeof(super) returns character varying language sql immutable strict parallel safe
    return jsonb_typeof($1::jsonb)::character varying;
create or replace function redshift.can_json_parse(text) returns boolean language sql immutable strict parallel safe
    return pg_input_is_valid($1, 'jsonb');
create or replace function redshift.get_array_length(super) returns integer language sql immutable strict parallel safe
    return case when jsonb_typeof($1::jsonb) = 'array' then jsonb_array_length($1::jsonb) end;
create or replace function redshift.is_kind(super, text[]) returns boolean language sql immutable parallel safe
    return coalesce(jsonb_typeof($1::jsonb) = any ($2), false);
create or replace function redshift.is_array(super) returns boolean language sql immutable parallel safe
    return redshift.is_kind($1, '{array}');
create or replace function redshift.is_object(super) returns boolean language sql immutable parallel safe
    return redshift.is_kind($1, '{object}');
create or replace function redshift.is_scalar(super) returns boolean language sql immutable parallel safe
    return redshift.is_kind($1, '{string,number,boolean}');
create or replace function redshift.is_varchar(super) returns boolean language sql immutable parallel safe
    return redshift.is_kind($1, '{string}');
create or replace function redshift.is_boolean(super) returns boolean language sql immutable parallel safe
    return redshift.is_kind($1, '{boolean}');
create or replace function redshift.is_whole(super, numeric) returns boolean language sql immutable parallel safe
    return redshift.is_kind($1, '{number}') and scale(redshift.super_to_numeric($1)) = 0
        and abs(redshift.super_to_numeric($1)) <= $2;
create or replace function redshift.is_smallint(super) returns boolean language sql immutable parallel safe
    return redshift.is_whole($1, 32767);
create or replace function redshift.is_integer(super) returns boolean language sql immutable parallel safe
    return redshift.is_whole($1, 2147483647);
create or replace function redshift.is_bigint(super) returns boolean language sql immutable parallel safe
    return redshift.is_whole($1, 9223372036854775807);
create or replace function redshift.array(variadic super[]) returns super language sql immutable parallel safe
    return (select coalesce(jsonb_agg(e::jsonb order by n), '[]') from unnest($1) with ordinality as t (e, n))::super;
create or replace function redshift.array() returns super language sql immutable parallel safe
    return '[]'::super;
create or replace function redshift.object(variadic super[]) returns super language sql immutable parallel safe
    return (
        select coalesce(jsonb_object_agg(($1[n])::jsonb #>> '{}', ($1[n + 1])::jsonb), '{}')
        from generate_series(1, cardinality($1), 2) as t (n)
    )::super;
create or replace function redshift.object() returns super language sql immutable parallel safe
    return '{}'::super;
create or replace function redshift.array_concat(super, super) returns super language sql immutable strict parallel safe
    return case
        when redshift.is_array($1) and redshift.is_array($2) then $1::jsonb || $2::jsonb
        when redshift.fail('0A000', 'array_concat of a SUPER ' || jsonb_typeof($1::jsonb)) then null
    end::super;

create or replace function redshift.is_valid_json(text) returns boolean language sql immutable parallel safe
    return coalesce(pg_input_is_valid($1, 'json') and left(ltrim($1, E' \t\r\n'), 1) in ('{'), false);
create or replace function redshift.is_valid_json_array(text) returns boolean language sql immutable parallel safe
    return coalesce(pg_input_is_valid($1, 'json') and left(ltrim($1, E' \t\r\n'), 1) = '[', false);
create or replace function redshift.json_or_null(text, boolean) returns json language sql immutable parallel safe
    return case when $2 then redshift.read_json($1) else $1::json end;
create or replace function redshift.json_array_length(text, boolean default false) returns integer
    language sql immutable parallel safe
    return json_array_length(redshift.json_or_null($1, $2));
create or replace function redshift.json_extract_array_element_text(text, integer, boolean default false)
    returns character varying language sql immutable parallel safe
    return case when $2 >= 0 then redshift.json_or_null($1, $3) ->> $2 end::character varying;
do $$
declare
    depth integer;
begin
    for depth in 1..5 loop
        execute format(
            'create or replace function redshift.json_extract_path_text(text, %1$s, boolean default false)'
            ' returns character varying language sql immutable parallel safe'
            ' as $body$ select (redshift.json_or_null($1, $%2$s) #>> array[%3$s])::character varying $body$',
            (select string_agg('text', ', ') from generate_series(1, depth)),
            depth + 2,
            (select string_agg('$' || n, ', ') from generate_series(2, depth + 1) as t (n))
        );
    end loop;
end
$$;
