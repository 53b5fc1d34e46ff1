-- Owns the functions that PostgreSQL lacks or defines otherwise than Redshift. Which names may be called is
-- functions.py's; SUPER and JSON are super.sql's. Source: the Redshift developer guide, function by function.

-- Redshift has no cast from BOOLEAN to a string.
create or replace function redshift.boolean_to_text(boolean) returns text language plpgsql immutable parallel safe as $$
begin
    raise exception using errcode = '42846', message = 'cannot cast type boolean to character varying';
end
$$;
update pg_cast
set castfunc = 'redshift.boolean_to_text(boolean)'::regprocedure
where castsource = 'boolean'::regtype and casttarget in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype);

-- The session. Which parameters are kept under a name of ours: session.py.
create or replace function redshift.current_setting(text) returns character varying language sql stable as $$
    select case
        when $1 = 'query_group'
            then coalesce(nullif(pg_catalog.current_setting('stand_in.query_group', true), ''), 'default')
        when lower($1) in ('search_path', 'timezone', 'statement_timeout', 'client_encoding', 'datestyle', 'application_name')
            then pg_catalog.current_setting($1)
        when redshift.fail('42704', format('the parameter "%s" is not known to this Redshift stand-in', $1)) then null
    end
$$;

-- Strings
create or replace function redshift.too_long(name text, most integer, octets integer) returns boolean
    language sql immutable parallel safe
    return redshift.fail('22001', format('column "%s" takes %s bytes, the value has %s', name, most, octets));
create or replace function redshift.cut(text, integer) returns text language plpgsql immutable strict parallel safe as $$
declare
    kept text := left($1, $2);
begin
    while octet_length(kept) > $2 loop
        kept := left(kept, -1);
    end loop;
    return kept;
end
$$;
create or replace function redshift.fit(text, integer) returns text language sql immutable parallel safe
    return case when octet_length($1) <= $2 then $1 else redshift.cut($1, $2) end;
create or replace function redshift.len(text) returns integer language sql immutable parallel safe return char_length($1);
create or replace function redshift.chr(integer) returns character varying language sql immutable parallel safe
    return pg_catalog.chr($1)::character varying;
create or replace function redshift.charindex(text, text) returns integer language sql immutable parallel safe
    return strpos($2, $1);
create or replace function redshift.concat(text, text) returns character varying language sql immutable parallel safe
    return ($1 || $2)::character varying;
create or replace function redshift.split_part(text, text, integer) returns character varying
    language sql immutable parallel safe
    return case
        when $3 > 0 or $3 is null then pg_catalog.split_part($1, $2, $3)::character varying
        when redshift.fail('22023', 'split_part: the position must be greater than zero: ' || $3) then null
    end;
create or replace function redshift.sha1(text) returns character varying language plpgsql immutable parallel safe as $$
begin
    raise exception using errcode = '0A000', message = 'SHA1 is not supported by this Redshift stand-in';
end
$$;
create or replace function redshift.sha2(text, integer) returns character varying language sql immutable parallel safe
    return case $2
        when 0 then encode(sha256(convert_to($1, 'UTF8')), 'hex')
        when 256 then encode(sha256(convert_to($1, 'UTF8')), 'hex')
        when 224 then encode(sha224(convert_to($1, 'UTF8')), 'hex')
        when 384 then encode(sha384(convert_to($1, 'UTF8')), 'hex')
        when 512 then encode(sha512(convert_to($1, 'UTF8')), 'hex')
    end::character varying;
create or replace function redshift.to_hex(bigint) returns character varying language sql immutable parallel safe
    return pg_catalog.to_hex($1)::character varying;
create or replace function redshift.strtol(text, integer) returns bigint language plpgsql immutable strict parallel safe as $$
declare
    digits text := lower(regexp_replace(trim($1), '^([+-]?)0x', '\1'));
    result numeric := 0;
    digit integer;
    place text;
begin
    if $2 not between 2 and 36 then
        raise exception using errcode = '22023', message = 'strtol: the base must be between 2 and 36';
    end if;
    foreach place in array regexp_split_to_array(ltrim(digits, '+-'), '') loop
        digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', place) - 1;
        if digit < 0 or digit >= $2 or place = '' then
            raise exception using errcode = '22P02', message = format('strtol: "%s" is not a number in base %s', $1, $2);
        end if;
        result := result * $2 + digit;
    end loop;
    return case when left(digits, 1) = '-' then -result else result end;
end
$$;

-- Regular expressions. PCRE ('p') is another language than PostgreSQL's, and refused.
create or replace function redshift.regex_flags(text) returns text language sql immutable parallel safe
    return case
        when $1 ~ '^[cie]*$' then case when strpos($1, 'i') > 0 then 'i' else 'c' end
        when redshift.fail('0A000', format('the regular expression parameters "%s" are not supported here', $1))
            then null
    end;
create or replace function redshift.regexp_substr(text, text, integer default 1, integer default 1, text default 'c')
    returns character varying language sql immutable parallel safe
    return case
        when $4 < 1 then null
        when strpos($5, 'e') > 0
            and redshift.fail('0A000', 'the regular expression parameters are not supported here: ' || $5) then null
        else coalesce(
            pg_catalog.regexp_substr($1, $2, greatest($3, 1), $4, redshift.regex_flags($5)),
            case when $1 is not null and $2 is not null then '' end
        )
    end::character varying;
create or replace function redshift.regexp_replace(text, text, text default '', integer default 1, text default 'c')
    returns character varying language sql immutable parallel safe
    return case
        when $3 ~ '[\\$&]'
            and redshift.fail('0A000', 'regexp_replace is not supported here with the replacement ' || $3) then null
        when $4 > char_length($1) then $1
        else pg_catalog.regexp_replace($1, $2, $3, greatest($4, 1), 0, redshift.regex_flags($5))
    end::character varying;
create or replace function redshift.regexp_count(text, text, integer default 1) returns integer
    language sql immutable parallel safe
    return pg_catalog.regexp_count($1, $2, greatest($3, 1));
create or replace function redshift.regexp_instr(text, text, integer default 1, integer default 1) returns integer
    language sql immutable parallel safe
    return pg_catalog.regexp_instr($1, $2, greatest($3, 1), $4);

-- Numbers
create or replace function redshift.round(numeric) returns numeric language sql immutable parallel safe return pg_catalog.round($1);
create or replace function redshift.round(numeric, integer) returns numeric language sql immutable parallel safe
    return pg_catalog.round($1, $2);
-- PostgreSQL rounds a double's half to even, and has no digits for doubles.
create or replace function redshift.round(double precision) returns double precision language sql immutable parallel safe
    return sign($1) * floor(abs($1) + 0.5);
create or replace function redshift.round(double precision, integer) returns double precision language sql immutable parallel safe
    return pg_catalog.round($1::numeric, $2)::double precision;
create or replace function redshift.trunc(numeric) returns numeric language sql immutable parallel safe return pg_catalog.trunc($1);
create or replace function redshift.trunc(numeric, integer) returns numeric language sql immutable parallel safe
    return pg_catalog.trunc($1, $2);
create or replace function redshift.trunc(double precision) returns double precision language sql immutable parallel safe
    return pg_catalog.trunc($1);
create or replace function redshift.trunc(double precision, integer) returns double precision language sql immutable parallel safe
    return pg_catalog.trunc($1::numeric, $2)::double precision;
create or replace function redshift.trunc(timestamp) returns date language sql immutable parallel safe return $1::date;
create or replace function redshift.sqrt(double precision) returns double precision language sql immutable parallel safe
    return pg_catalog.sqrt($1);
create or replace function redshift.cbrt(double precision) returns double precision language sql immutable parallel safe
    return pg_catalog.cbrt($1);
create or replace function redshift.exp(double precision) returns double precision language sql immutable parallel safe
    return pg_catalog.exp($1);
create or replace function redshift.ln(double precision) returns double precision language sql immutable parallel safe
    return pg_catalog.ln($1);
create or replace function redshift.log(double precision) returns double precision language sql immutable parallel safe
    return pg_catalog.log($1);
create or replace function redshift.dlog10(double precision) returns double precision language sql immutable parallel safe
    return pg_catalog.log($1);
create or replace function redshift.power(double precision, double precision) returns double precision
    language sql immutable parallel safe
    return pg_catalog.power($1, $2);
create or replace function redshift.to_number(text, text) returns numeric language sql stable parallel safe
    return pg_catalog.to_number($1, $2);

-- Dates
create or replace function redshift.getdate() returns timestamp language sql stable
    return date_trunc('second', statement_timestamp()::timestamp);
create or replace function redshift.sysdate() returns timestamp language sql stable return transaction_timestamp()::timestamp;
create or replace function redshift.date_trunc(text, timestamp) returns timestamp language sql immutable parallel safe
    return pg_catalog.date_trunc($1, $2);
create or replace function redshift.date_trunc(text, date) returns timestamp language sql immutable parallel safe
    return pg_catalog.date_trunc($1, $2::timestamp);
create or replace function redshift.date_trunc(text, timestamptz) returns timestamptz language sql stable parallel safe
    return pg_catalog.date_trunc($1, $2);
create or replace function redshift.span(part text, amount bigint) returns interval language sql immutable strict parallel safe
    return case part
        when 'millennium' then make_interval(years => (amount * 1000)::integer)
        when 'century' then make_interval(years => (amount * 100)::integer)
        when 'decade' then make_interval(years => (amount * 10)::integer)
        when 'year' then make_interval(years => amount::integer)
        when 'quarter' then make_interval(months => (amount * 3)::integer)
        when 'month' then make_interval(months => amount::integer)
        when 'week' then make_interval(days => (amount * 7)::integer)
        when 'day' then make_interval(days => amount::integer)
        when 'hour' then amount * interval '1 hour'
        when 'minute' then amount * interval '1 minute'
        when 'second' then amount * interval '1 second'
        when 'millisecond' then amount * interval '1 millisecond'
        when 'microsecond' then amount * interval '1 microsecond'
    end;
-- A leap day plus years is the first of March where there is none; a leap day plus months is the month's last day.
create or replace function redshift.leap_shift(part text, amount bigint, day timestamp) returns interval
    language sql immutable parallel safe
    return case
        when part in ('year', 'decade', 'century', 'millennium')
            and extract(month from day) = 2 and extract(day from day) = 29
            and extract(day from day + redshift.span(part, amount)) = 28
            then interval '1 day' else interval '0'
    end;
create or replace function redshift.dateadd(text, bigint, timestamp) returns timestamp language sql immutable parallel safe
    return $3 + redshift.span($1, $2) + redshift.leap_shift($1, $2, $3);
create or replace function redshift.dateadd(text, bigint, date) returns timestamp language sql immutable parallel safe
    return redshift.dateadd($1, $2, $3::timestamp);
create or replace function redshift.dateadd(text, bigint, timestamptz) returns timestamptz language sql stable parallel safe
    return $3 + redshift.span($1, $2) + redshift.leap_shift($1, $2, $3::timestamp);
create or replace function redshift.dateadd(text, bigint, time) returns time language sql immutable parallel safe
    return $3 + redshift.span($1, $2);
create or replace function redshift.per_second(text) returns numeric language sql immutable parallel safe
    return case $1 when 'millisecond' then 1000 when 'microsecond' then 1000000 else 1 end::numeric;
create or replace function redshift.seconds(text) returns numeric language sql immutable parallel safe
    return case $1 when 'hour' then 3600 when 'minute' then 60 else 1 end::numeric;
create or replace function redshift.weeks(timestamp) returns integer language sql immutable parallel safe
    return (date_trunc('week', $1)::date - '2001-01-01'::date) / 7;
create or replace function redshift.datediff(text, timestamp, timestamp) returns bigint
    language sql immutable strict parallel safe
    return case $1
        when 'millennium' then extract(millennium from $3) - extract(millennium from $2)
        when 'century' then extract(century from $3) - extract(century from $2)
        when 'decade' then extract(decade from $3) - extract(decade from $2)
        when 'year' then extract(year from $3) - extract(year from $2)
        when 'quarter' then
            (extract(year from $3) - extract(year from $2)) * 4 + extract(quarter from $3) - extract(quarter from $2)
        when 'month' then
            (extract(year from $3) - extract(year from $2)) * 12 + extract(month from $3) - extract(month from $2)
        when 'week' then
            -- Whether a week begins on Sunday or Monday there is not documented: said is only what holds for both.
            case
                when redshift.weeks($3) - redshift.weeks($2)
                    = redshift.weeks($3 + interval '1 day') - redshift.weeks($2 + interval '1 day')
                    then redshift.weeks($3) - redshift.weeks($2)
                when redshift.fail('0A000', 'datediff in weeks from or to a Sunday is not supported here: from ' || $2 || ' to ' || $3)
                    then 0
            end
        when 'day' then $3::date - $2::date
        else floor(extract(epoch from $3) * redshift.per_second($1) / redshift.seconds($1))
            - floor(extract(epoch from $2) * redshift.per_second($1) / redshift.seconds($1))
    end::bigint;
create or replace function redshift.datediff(text, time, time) returns bigint language sql immutable strict parallel safe
    return redshift.datediff($1, '2000-01-01'::date + $2, '2000-01-01'::date + $3);
create or replace function redshift.extract(text, timestamp) returns integer language sql immutable strict parallel safe
    return case $1
        when 'second' then floor(date_part('second', $2))
        when 'millisecond' then extract(milliseconds from $2)::bigint % 1000
        when 'microsecond' then extract(microseconds from $2)::bigint % 1000000
        else floor(date_part($1, $2))
    end::integer;
create or replace function redshift.extract(text, date) returns integer language sql immutable strict parallel safe
    return redshift.extract($1, $2::timestamp);
create or replace function redshift.extract(text, timestamptz) returns double precision language sql stable strict parallel safe
    return case
        when $1 = 'epoch' then floor(date_part('epoch', $2))
        else redshift.extract($1, $2::timestamp)
    end::double precision;
create or replace function redshift.extract(text, time) returns integer language sql immutable strict parallel safe
    return redshift.extract($1, '2000-01-01'::date + $2);
create or replace function redshift.date_part(text, timestamp) returns double precision language sql immutable strict parallel safe
    return date_part($1, $2);
create or replace function redshift.date_part(text, date) returns double precision language sql immutable strict parallel safe
    return date_part($1, $2::timestamp);
create or replace function redshift.date_part(text, timestamptz) returns double precision language sql stable strict parallel safe
    return date_part($1, $2);
create or replace function redshift.date_part_year(date) returns integer language sql immutable strict parallel safe
    return extract(year from $1)::integer;
create or replace function redshift.last_day(timestamp) returns date language sql immutable strict parallel safe
    return (date_trunc('month', $1) + interval '1 month' - interval '1 day')::date;
create or replace function redshift.last_day(date) returns date language sql immutable strict parallel safe
    return redshift.last_day($1::timestamp);
-- The last day of a month plus months is the last day of the result's month.
create or replace function redshift.add_months(timestamp, integer) returns timestamp language sql immutable strict parallel safe
    return case
        when $1::date = redshift.last_day($1)
            then redshift.last_day($1 + make_interval(months => $2)) + $1::time
        else $1 + make_interval(months => $2)
    end;
create or replace function redshift.add_months(date, integer) returns timestamp language sql immutable strict parallel safe
    return redshift.add_months($1::timestamp, $2);
create or replace function redshift.convert_timezone(text, timestamp) returns timestamp language sql immutable strict parallel safe
    return $2 at time zone 'UTC' at time zone $1;
create or replace function redshift.convert_timezone(text, text, timestamp) returns timestamp
    language sql immutable strict parallel safe
    return $3 at time zone $1 at time zone $2;
create or replace function redshift.to_date(text, text) returns date language sql immutable parallel safe
    return pg_catalog.to_date($1, $2);

-- Aggregates
create or replace function redshift.join_items(anyarray, text) returns character varying language plpgsql immutable as $$
declare
    joined text;
begin
    select string_agg(item::text, $2 order by place) into joined
    from unnest($1) with ordinality as t (item, place)
    where item::text <> '';
    if octet_length(joined) > 65535 then
        raise exception using errcode = '54000', message = 'Result size exceeds LISTAGG limit';
    end if;
    return joined;
end
$$;
create or replace aggregate redshift.sum(smallint) (sfunc = pg_catalog.int2_sum, stype = bigint);
create or replace aggregate redshift.sum(integer) (sfunc = pg_catalog.int4_sum, stype = bigint);
create or replace aggregate redshift.sum(bigint) (sfunc = pg_catalog.int8pl, stype = bigint);
create or replace aggregate redshift.sum(numeric) (sfunc = pg_catalog.numeric_add, stype = numeric);
create or replace aggregate redshift.sum(double precision) (sfunc = pg_catalog.float8pl, stype = double precision);
create or replace function redshift.add_real(double precision, real) returns double precision language sql immutable
    return case when $2 is null then $1 else coalesce($1, 0) + $2 end;
create or replace aggregate redshift.sum(real) (sfunc = redshift.add_real, stype = double precision);
create or replace function redshift.whole_average(bigint[]) returns bigint language sql immutable
    return case when $1[1] > 0 then $1[2] / $1[1] end;
create or replace aggregate redshift.avg(integer) (
    sfunc = pg_catalog.int4_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift.whole_average
);
create or replace aggregate redshift.avg(smallint) (
    sfunc = pg_catalog.int2_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift.whole_average
);
create or replace function redshift.add_whole(numeric[], bigint) returns numeric[] language sql immutable
    return case when $2 is null then $1 else array[$1[1] + 1, $1[2] + $2] end;
create or replace function redshift.whole_average(numeric[]) returns bigint language sql immutable
    return case when $1[1] > 0 then trunc($1[2] / $1[1])::bigint end;
create or replace aggregate redshift.avg(bigint) (
    sfunc = redshift.add_whole, stype = numeric[], initcond = '{0,0}', finalfunc = redshift.whole_average
);
create or replace aggregate redshift.avg(double precision) (
    sfunc = pg_catalog.float8_accum, stype = double precision[], initcond = '{0,0,0}',
    finalfunc = pg_catalog.float8_avg
);
-- Redshift keeps the argument's scale; whether it rounds or cuts there is not documented.
create or replace function redshift.refuse_average(numeric, numeric) returns numeric language plpgsql immutable as $$
begin
    raise exception using
        errcode = '0A000',
        message = 'AVG of a DECIMAL is not supported by this Redshift stand-in',
        hint = 'Cast the argument to double precision.';
end
$$;
create or replace aggregate redshift.avg(numeric) (sfunc = redshift.refuse_average, stype = numeric);
do $$
declare
    name text;
begin
    foreach name in array array['stddev', 'stddev_samp', 'stddev_pop', 'variance', 'var_samp', 'var_pop'] loop
        execute format(
            'create or replace aggregate redshift.%I(double precision) (sfunc = pg_catalog.float8_accum,'
            ' stype = double precision[], initcond = ''{0,0,0}'', finalfunc = pg_catalog.float8_%s)',
            name, case name when 'stddev' then 'stddev_samp' when 'variance' then 'var_samp' else name end
        );
    end loop;
end
$$;
create or replace function redshift.middle(double precision[]) returns double precision language sql immutable
    return (select percentile_cont(0.5) within group (order by v) from unnest($1) as t (v));
create or replace aggregate redshift.median(double precision) (
    sfunc = pg_catalog.array_append, stype = double precision[], finalfunc = redshift.middle
);

-- The session
create or replace function redshift.version() returns character varying language sql immutable
    return 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.0 (a stand-in)'
        ::character varying;
create or replace function redshift.current_user_id() returns integer language sql stable
    return (select oid::integer from pg_catalog.pg_roles where rolname = current_user);
do $$
begin
    execute format('alter database %I set timezone to %L', current_database(), 'UTC');
    -- Redshift isolates transactions by snapshots.
    execute format('alter database %I set default_transaction_isolation to %L', current_database(), 'repeatable read');
end
$$;
