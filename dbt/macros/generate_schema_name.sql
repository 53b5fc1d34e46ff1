{# Models land in the schema they name, exactly: without this, dbt would write to analytics_analytics_staging. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
