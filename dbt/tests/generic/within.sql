{# Fails for each row whose value lies outside minimum..maximum, both allowed. Null is no value, so it passes. #}
{% test within(model, column_name, minimum, maximum) %}

select {{ column_name }}
from {{ model }}
where {{ column_name }} < {{ minimum }} or {{ column_name }} > {{ maximum }}

{% endtest %}
