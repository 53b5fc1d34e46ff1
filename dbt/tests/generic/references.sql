{# Fails for each value at a path of a raw table that names no live record of another raw table. Null names nothing.
   A path is the contract's: `rocket`, `payloads[]` (each item), `cores[].core`, `dragon.capsule`. #}
{% test references(model, column_name, path, dataset, key) %}

{%- set parts = path.split('[]') -%}
{%- set unnested = namespace(last='holder', tables=[]) -%}
{%- for part in parts[:-1] -%}
    {%- set array = unnested.last ~ ('.' if loop.first else '') ~ part -%}
    {%- set unnested.last = 'item_' ~ loop.index -%}
    {%- do unnested.tables.append(array ~ ' as ' ~ unnested.last) -%}
{%- endfor -%}
{%- set value = unnested.last ~ ('.' if parts | length == 1 else '') ~ parts[-1] %}

with holder as (

    select * from {{ model }}

),

named as (

    select cast({{ value }} as varchar(255)) as named_key
    from holder{% for table in unnested.tables %}, {{ table }}{% endfor %}

),

known as (

    select cast({{ key }} as varchar(255)) as known_key
    from {{ source('spacex', dataset) }}
    where _deleted_at is null

)

select named.named_key
from named
left join known
    on named.named_key = known.known_key
where named.named_key is not null
    and known.known_key is null

{% endtest %}
