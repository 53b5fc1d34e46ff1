# Owns who watches: alarms on what the pipeline and its services measure. What is measured is the catalogue's
# (observability/catalogue.py), which the steps write to their log in CloudWatch's embedded metric format.

locals {
  catalogue   = jsondecode(file(var.catalogue_file))
  datasets    = local.catalogue.datasets
  metrics     = local.catalogue.metrics
  is_cluster  = var.warehouse.mode == "provisioned"
  environment = { environment = var.context.environment }

  # Of the data product: told together, by the composite alarm.
  freshness = { for dataset, promised in local.datasets : dataset => promised.freshness_h if promised.freshness_h != null }
}

resource "aws_cloudwatch_metric_alarm" "freshness" {
  for_each = local.freshness

  alarm_name          = "${var.context.name}-freshness-${each.key}"
  alarm_description   = "${each.key}: nothing was published for ${each.value} hours, the contract's promise. Last good rows are served. Look at the newest run's page."
  namespace           = var.metrics_namespace
  metric_name         = local.metrics.rows.name
  dimensions          = merge(local.environment, { dataset = each.key, stage = "load" })
  statistic           = "SampleCount"
  period              = 3600
  evaluation_periods  = each.value
  datapoints_to_alarm = each.value
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching" # nothing measured is nothing published
}

resource "aws_cloudwatch_metric_alarm" "quarantine" {
  for_each = local.datasets

  alarm_name          = "${var.context.name}-quarantine-${each.key}"
  alarm_description   = "${each.key}: more than half of what the contract lets be rejected (${each.value.reject_ratio * 100} %) went to quarantine. Look: spacex-elt quarantine show ${each.key}"
  evaluation_periods  = 1
  threshold           = each.value.reject_ratio / 2
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "ratio"
    label       = "rejected ratio"
    expression  = "IF(read > 0, rejected / read, 0)"
    return_data = true
  }

  metric_query {
    id = "rejected"

    metric {
      namespace   = var.metrics_namespace
      metric_name = local.metrics.rows.name
      dimensions  = merge(local.environment, { dataset = each.key, stage = "gate", fate = "quarantined" })
      stat        = "Sum"
      period      = 3600
    }
  }

  metric_query {
    id = "read"

    metric {
      namespace   = var.metrics_namespace
      metric_name = local.metrics.rows.name
      dimensions  = merge(local.environment, { dataset = each.key, stage = "gate" })
      stat        = "Sum"
      period      = 3600
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "no_go" {
  alarm_name          = "${var.context.name}-no-go"
  alarm_description   = "A gate held a dataset: its last good version is served. The alert of the incident says which and why."
  namespace           = var.metrics_namespace
  metric_name         = local.metrics.verdicts.name
  dimensions          = merge(local.environment, { verdict = "no-go" })
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "run_missing" {
  alarm_name          = "${var.context.name}-run-missing"
  alarm_description   = "No run came to its end for ${var.thresholds.run_missing_hours} hours. Look at the DAG spacex_elt in Airflow."
  namespace           = var.metrics_namespace
  metric_name         = local.metrics.step_duration.name
  dimensions          = merge(local.environment, { step = "publish" })
  statistic           = "SampleCount"
  period              = 3600
  evaluation_periods  = var.thresholds.run_missing_hours
  datapoints_to_alarm = var.thresholds.run_missing_hours
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
}

resource "aws_cloudwatch_composite_alarm" "unhealthy" {
  alarm_name        = "${var.context.name}-data-product-unhealthy"
  alarm_description = "People who use the tables should know: data is late, held, largely rejected, or no run came to its end."
  alarm_actions     = [var.alert_topic_arn]
  ok_actions        = [var.alert_topic_arn]

  alarm_rule = join(" OR ", [
    for alarm in concat(
      values(aws_cloudwatch_metric_alarm.freshness),
      values(aws_cloudwatch_metric_alarm.quarantine),
      [aws_cloudwatch_metric_alarm.no_go, aws_cloudwatch_metric_alarm.run_missing],
    ) : "ALARM(\"${alarm.alarm_name}\")"
  ])
}
