{# Fails when an aggregate over the model differs from one over another relation: a join lost or multiplied rows. #}
{% test same_total(model, expression, compared_to, compared_expression) %}

with totals as (
    select
        (select {{ expression }} from {{ model }}) as total,
        (select {{ compared_expression }} from {{ compared_to }}) as expected_total
)

select
    total,
    expected_total
from totals
where total <> expected_total

{% endtest %}
