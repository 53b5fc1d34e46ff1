# Owns alarms on the services themselves. Each tells people on its own.

resource "aws_cloudwatch_metric_alarm" "airflow_heartbeat" {
  count = var.has_airflow ? 1 : 0

  alarm_name          = "${var.context.name}-airflow-heartbeat"
  alarm_description   = "Airflow's scheduler is silent: nothing is started. Look at the environment in MWAA."
  namespace           = "AmazonMWAA"
  metric_name         = "SchedulerHeartbeat"
  dimensions          = { Environment = var.context.name, Function = "Scheduler" }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 4 # MWAA's weekly maintenance takes some minutes
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "warehouse_health" {
  count = local.is_cluster ? 1 : 0

  alarm_name          = "${var.context.name}-warehouse-health"
  alarm_description   = "The Redshift cluster is unhealthy. Steps that need it end with 12 and are tried again."
  namespace           = "AWS/Redshift"
  metric_name         = "HealthStatus"
  dimensions          = { ClusterIdentifier = var.warehouse.name }
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "warehouse_disk" {
  count = local.is_cluster ? 1 : 0

  alarm_name          = "${var.context.name}-warehouse-disk"
  alarm_description   = "The Redshift cluster's disk is above ${var.thresholds.disk_percent} %: run the maintenance DAG, then think of another node."
  namespace           = "AWS/Redshift"
  metric_name         = "PercentageDiskSpaceUsed"
  dimensions          = { ClusterIdentifier = var.warehouse.name }
  statistic           = "Maximum"
  period              = 3600
  evaluation_periods  = 2
  threshold           = var.thresholds.disk_percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}

# Serverless has no health and no disk of its own to watch; what it can do is to run without end.
resource "aws_cloudwatch_metric_alarm" "warehouse_use" {
  count = local.is_cluster ? 0 : 1

  alarm_name          = "${var.context.name}-warehouse-use"
  alarm_description   = "Redshift used more than ${var.thresholds.daily_rpu_hours} RPU-hours in a day. Look for a query that does not end, before the month's limit refuses all."
  namespace           = "AWS/Redshift-Serverless"
  metric_name         = "ComputeSeconds"
  dimensions          = { Workgroup = var.warehouse.name }
  statistic           = "Sum"
  period              = 86400
  evaluation_periods  = 1
  threshold           = var.thresholds.daily_rpu_hours * 3600
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}

# A container that did not start, or ended otherwise than a step ends (spacex_elt/exit_codes.py).
resource "aws_cloudwatch_event_rule" "step_failed" {
  name        = "${var.context.name}-step-failed"
  description = "A step's container did not start, was killed, or met a bug"

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = ["arn:${var.context.partition}:ecs:${var.context.region}:${var.context.account_id}:cluster/${var.cluster}"]
      lastStatus = ["STOPPED"]
      "$or" = [
        { stopCode = ["TaskFailedToStart"] },
        { containers = { exitCode = [1, 137, 139, 143] } },
      ]
    }
  })
}

resource "aws_cloudwatch_metric_alarm" "step_failed" {
  alarm_name          = "${var.context.name}-step-failed"
  alarm_description   = "A step's container did not start, was killed (memory?), or met a bug. Airflow tries again what is worth it."
  namespace           = "AWS/Events"
  metric_name         = "TriggeredRules"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.step_failed.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alert_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${var.context.name}-undelivered"
  alarm_description   = "Alerts could not be delivered to a subscriber: they lie in the queue ${var.dead_letter_queue_name}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.dead_letter_queue_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}
