# Owns what X-Ray keeps: every trace of a run. There are few, and the one that is looked for is a rare one.

resource "aws_xray_group" "runs" {
  group_name        = "${var.context.name}-runs"
  filter_expression = "service(\"spacex-elt\") OR service(\"spacex-elt-airflow\")"

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false
  }
}

resource "aws_xray_sampling_rule" "runs" {
  rule_name      = "${var.context.name}-runs"
  priority       = 100
  version        = 1
  fixed_rate     = 1
  reservoir_size = 1
  service_name   = "spacex-elt*"
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
}
