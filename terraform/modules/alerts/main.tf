# Owns the topic that every alert leaves by, who gets it, what happens when it cannot be delivered, and the budget.

locals {
  topic_name = "${var.context.name}-alerts"
  topic_arn  = "arn:${var.context.partition}:sns:${var.context.region}:${var.context.account_id}:${local.topic_name}"
}

resource "aws_sns_topic" "this" {
  name              = local.topic_name
  display_name      = "SpaceX data, ${var.context.environment}"
  kms_master_key_id = var.key_arn

  # Of deliveries over HTTPS: tried for about an hour, then put into the dead-letter queue.
  delivery_policy = jsonencode({
    http = {
      defaultHealthyRetryPolicy = {
        minDelayTarget     = 5
        maxDelayTarget     = 300
        numRetries         = 20
        numNoDelayRetries  = 1
        numMinDelayRetries = 3
        numMaxDelayRetries = 6
        backoffFunction    = "exponential"
      }
      disableSubscriptionOverrides = false
    }
  })
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "AlarmsAndBudgetsPublish"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.context.account_id]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.topic_name}-undelivered"
  kms_master_key_id         = var.key_arn
  message_retention_seconds = 1209600
}

data "aws_iam_policy_document" "dead_letters" {
  statement {
    sid       = "TheTopicLeavesThem"
    actions   = ["sqs:SendMessage"]
    resources = ["arn:${var.context.partition}:sqs:${var.context.region}:${var.context.account_id}:${local.topic_name}-undelivered"]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.topic_arn]
    }
  }
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url
  policy    = data.aws_iam_policy_document.dead_letters.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn      = aws_sns_topic.this.arn
  protocol       = "email"
  endpoint       = each.value
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn })
}

resource "aws_sns_topic_subscription" "pagerduty" {
  count = nonsensitive(var.pagerduty_url != null) ? 1 : 0

  topic_arn              = aws_sns_topic.this.arn
  protocol               = "https"
  endpoint               = var.pagerduty_url
  endpoint_auto_confirms = true
  redrive_policy         = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn })
}

data "aws_iam_policy_document" "chat_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["chatbot.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.context.account_id]
    }
  }
}

# It shows an alarm's graph in the channel, and nothing else.
data "aws_iam_policy_document" "chat" {
  statement {
    sid       = "ShowAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["arn:${var.context.partition}:cloudwatch:${var.context.region}:${var.context.account_id}:alarm:${var.context.name}-*"]
  }

  statement {
    sid       = "DrawTheirMetrics"
    actions   = ["cloudwatch:GetMetricData"]
    resources = ["*"] # the service knows no narrower one
  }
}

resource "aws_iam_role" "chat" {
  count = var.slack == null ? 0 : 1

  name               = "${var.context.name}-chat"
  assume_role_policy = data.aws_iam_policy_document.chat_trust.json
}

resource "aws_iam_role_policy" "chat" {
  count = var.slack == null ? 0 : 1

  name   = "show-alarms"
  role   = aws_iam_role.chat[0].id
  policy = data.aws_iam_policy_document.chat.json
}

resource "aws_chatbot_slack_channel_configuration" "this" {
  count = var.slack == null ? 0 : 1

  configuration_name    = local.topic_name
  iam_role_arn          = aws_iam_role.chat[0].arn
  slack_team_id         = var.slack.team_id
  slack_channel_id      = var.slack.channel_id
  sns_topic_arns        = [aws_sns_topic.this.arn]
  guardrail_policy_arns = ["arn:${var.context.partition}:iam::aws:policy/CloudWatchReadOnlyAccess"]
  logging_level         = "ERROR"
}

resource "aws_budgets_budget" "this" {
  name         = var.context.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue"
    values = ["user:Application$spacex-elt"] # active once the tag is a cost allocation tag: docs/deploy.md
  }

  notification {
    comparison_operator       = "GREATER_THAN"
    threshold                 = 80
    threshold_type            = "PERCENTAGE"
    notification_type         = "ACTUAL"
    subscriber_sns_topic_arns = [aws_sns_topic.this.arn]
  }

  notification {
    comparison_operator       = "GREATER_THAN"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    notification_type         = "FORECASTED"
    subscriber_sns_topic_arns = [aws_sns_topic.this.arn]
  }
}
