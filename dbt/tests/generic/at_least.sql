{# Fails for each row whose value is below the minimum. Null is no value, so it passes. #}
{% test at_least(model, column_name, minimum) %}

select {{ column_name }}
from {{ model }}
where {{ column_name }} < {{ minimum }}

{% endtest %}
