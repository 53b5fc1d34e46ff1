# Owns the dashboard: a row for the promises, one for each metric of the catalogue, one for what costs.

locals {
  # SEARCH finds a metric's series by the names of its dimensions, in the catalogue's order.
  searches = {
    for key, metric in local.metrics : key => {
      for dimensions in metric.dimension_sets : join(", ", dimensions) =>
      "SEARCH('{${var.metrics_namespace},${join(",", concat(["environment"], dimensions))}} MetricName=\"${metric.name}\" environment=\"${var.context.environment}\"', '${metric.statistic}', 3600)"
    }
  }

  metric_widgets = flatten([
    for row, key in keys(local.metrics) : [
      for column, dimensions in keys(local.searches[key]) : {
        type   = "metric"
        x      = column * 12 % 24
        y      = 6 + row * 12 + floor(column / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = "${local.metrics[key].description}, by ${dimensions}"
          region  = var.context.region
          view    = "timeSeries"
          stacked = key == "rows"
          period  = 3600
          metrics = [[{ expression = local.searches[key][dimensions], id = "e1", label = "" }]]
          yAxis   = { left = { label = local.metrics[key].unit, showUnits = false, min = 0 } }
        }
      }
    ]
  ])

  cost_row = 6 + length(local.metrics) * 12

  cost_metrics = {
    "Steps: memory reserved (MiB)" = [["ECS/ContainerInsights", "MemoryReserved", "ClusterName", var.cluster, { stat = "Sum" }]]
    "Redshift" = local.is_cluster ? [
      ["AWS/Redshift", "PercentageDiskSpaceUsed", "ClusterIdentifier", var.warehouse.name, { stat = "Maximum" }],
      ["AWS/Redshift", "CPUUtilization", "ClusterIdentifier", var.warehouse.name, { stat = "Average" }],
      ] : [
      ["AWS/Redshift-Serverless", "ComputeSeconds", "Workgroup", var.warehouse.name, { stat = "Sum" }],
      ["AWS/Redshift-Serverless", "ComputeCapacity", "Workgroup", var.warehouse.name, { stat = "Maximum" }],
    ]
    "NAT: bytes out" = [[{ expression = "SEARCH('{AWS/NATGateway,NatGatewayId} MetricName=\"BytesOutToDestination\"', 'Sum', 3600)", id = "e1", label = "" }]]
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.context.name

  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type   = "alarm"
        x      = 0
        y      = 0
        width  = 24
        height = 6
        properties = {
          title = "Promises: freshness of each dataset, runs, gates"
          alarms = concat(
            [aws_cloudwatch_metric_alarm.run_missing.arn, aws_cloudwatch_metric_alarm.no_go.arn],
            [for alarm in aws_cloudwatch_metric_alarm.freshness : alarm.arn],
          )
        }
      }],
      local.metric_widgets,
      [for column, title in keys(local.cost_metrics) : {
        type   = "metric"
        x      = column * 8
        y      = local.cost_row
        width  = 8
        height = 6
        properties = {
          title   = "Cost: ${title}"
          region  = var.context.region
          view    = "timeSeries"
          period  = 3600
          metrics = local.cost_metrics[title]
        }
      }],
    )
  })
}
