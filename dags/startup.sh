#!/usr/bin/env bash
# MWAA sources this on every component and hands what it exports to Airflow. `make dist` puts the deployment's own
# variables above these lines; what the DAGs do with them is the DAGs' business.

for name in \
    SPACEX_ELT_ENVIRONMENT \
    SPACEX_ELT_ECS_CLUSTER \
    SPACEX_ELT_LOADER_TASK \
    SPACEX_ELT_TRANSFORMER_TASK \
    SPACEX_ELT_PUBLISHER_TASK \
    SPACEX_ELT_MAINTAINER_TASK \
    SPACEX_ELT_LOG_GROUP \
    SPACEX_ELT_SUBNET_IDS \
    SPACEX_ELT_SECURITY_GROUP_IDS \
    SPACEX_ELT_LAKE_BUCKET \
    SPACEX_ELT_ALERT_TOPIC_ARN \
    SPACEX_ELT_AIRBYTE_CONNECTION_ID \
    SPACEX_ELT_DEADLINE_HOURS \
    AWS_REGION; do
    if [ -z "${!name:-}" ]; then
        echo "startup.sh: $name is not set. Expected the script that 'make dist' renders for this deployment." >&2
        # Not `return`: without the variables the component must not start, and MWAA then keeps the former environment.
        exit 1
    fi
done
unset name

# MWAA reaches AWS by its execution role; it looks no secret up for this connection.
export AIRFLOW_CONN_AWS_DEFAULT="${AIRFLOW_CONN_AWS_DEFAULT:-aws://}"

# Airflow's own spans. The short name `otlp` would mean gRPC, which AWS does not take and nobody would hear of.
export AIRFLOW__TRACES__OTEL_ON=True
export OTEL_SERVICE_NAME=spacex-elt-airflow
export OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=${SPACEX_ELT_ENVIRONMENT}"
export OTEL_TRACES_EXPORTER=otlp_proto_http
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="${OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:-https://xray.${AWS_REGION}.amazonaws.com/v1/traces}"
# No metrics and logs this way: MWAA resets [metrics] to its own statsd, and CloudWatch has the logs already.
export OTEL_METRICS_EXPORTER=none
export OTEL_LOGS_EXPORTER=none
