# Owns what MWAA may do: AWS' own statements for it, and ours: run steps, hand them their roles, tell people.

locals {
  log_groups_arn = "arn:${var.context.partition}:logs:${var.context.region}:${var.context.account_id}:log-group:airflow-${local.name}-*"
  cluster_arn    = "arn:${var.context.partition}:ecs:${var.context.region}:${var.context.account_id}:cluster/${var.pipeline.cluster}"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.context.account_id]
    }
  }
}

# As AWS' guide has them (Amazon MWAA execution role), for a customer-managed key.
data "aws_iam_policy_document" "of_aws" {
  #checkov:skip=CKV_AWS_356:AWS' own statements for MWAA; what has no narrower resource is metrics and the names of log groups.
  statement {
    sid       = "PublishMetrics"
    actions   = ["airflow:PublishMetrics"]
    resources = ["arn:${var.context.partition}:airflow:${var.context.region}:${var.context.account_id}:environment/${local.name}"]
  }

  statement {
    sid       = "NoListOfBuckets"
    effect    = "Deny"
    actions   = ["s3:ListAllMyBuckets"]
    resources = ["*"]
  }

  statement {
    sid       = "ReadItsFiles"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${module.bucket.arn}/*"]
  }

  statement {
    sid = "LookAtItsBucket"
    actions = [
      "s3:GetBucketLocation", "s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration",
      "s3:ListBucket", "s3:ListBucketVersions",
    ]
    resources = [module.bucket.arn]
  }

  statement {
    sid       = "LookAtTheAccountsAccessBlock"
    actions   = ["s3:GetAccountPublicAccessBlock"]
    resources = ["*"]
  }

  statement {
    sid = "WriteItsLogs"
    actions = [
      "logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents", "logs:GetLogEvents", "logs:GetLogGroupFields",
      "logs:GetLogRecord", "logs:GetQueryResults",
    ]
    resources = [local.log_groups_arn, "${local.log_groups_arn}:*"]
  }

  statement {
    sid       = "FindLogs"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "PutMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]
  }

  # The queue is in an account of AWS', which has no number that we could know.
  statement {
    sid = "UseItsQueue"
    actions = [
      "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
      "sqs:SendMessage",
    ]
    resources = ["arn:${var.context.partition}:sqs:${var.context.region}:*:airflow-celery-*"]
  }

  statement {
    sid       = "UseItsKey"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt"]
    resources = [var.key_arns.orchestration]

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["sqs.${var.context.region}.amazonaws.com", "s3.${var.context.region}.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "ours" {
  statement {
    sid       = "RunSteps"
    actions   = ["ecs:RunTask"]
    resources = ["arn:${var.context.partition}:ecs:${var.context.region}:${var.context.account_id}:task-definition/${var.pipeline.family_prefix}*:*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [local.cluster_arn]
    }
  }

  statement {
    sid       = "FollowSteps"
    actions   = ["ecs:DescribeTasks", "ecs:StopTask"]
    resources = ["arn:${var.context.partition}:ecs:${var.context.region}:${var.context.account_id}:task/${var.pipeline.cluster}/*"]
  }

  statement {
    sid       = "FindRunningSteps" # a worker that comes back goes on with a container that is there
    actions   = ["ecs:ListTasks"]
    resources = ["arn:${var.context.partition}:ecs:${var.context.region}:${var.context.account_id}:container-instance/${var.pipeline.cluster}/*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [local.cluster_arn]
    }
  }

  statement {
    sid       = "TagSteps"
    actions   = ["ecs:TagResource"]
    resources = ["arn:${var.context.partition}:ecs:${var.context.region}:${var.context.account_id}:task/${var.pipeline.cluster}/*"]

    condition {
      test     = "StringEquals"
      variable = "ecs:CreateAction"
      values   = ["RunTask"]
    }
  }

  statement {
    sid       = "LookAtDefinitions"
    actions   = ["ecs:DescribeTaskDefinition"]
    resources = ["*"] # the service knows no narrower one
  }

  statement {
    sid       = "HandStepsTheirRoles"
    actions   = ["iam:PassRole"]
    resources = var.pipeline.passed_role_arns

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  statement {
    sid       = "ReadStepsResults"
    actions   = ["logs:GetLogEvents"]
    resources = ["${var.pipeline.log_group.arn}:log-stream:*"]
  }

  statement {
    sid       = "ReadConnections"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.uses.secret_arn_pattern]
  }

  statement {
    sid       = "DecryptConnections"
    actions   = ["kms:Decrypt"]
    resources = [var.key_arns.secrets]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.context.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "KeepIncidents"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${var.uses.lake_arn}/incidents/*"]
  }

  statement {
    sid       = "ListIncidents" # without it, what is not there would be answered as forbidden
    actions   = ["s3:ListBucket"]
    resources = [var.uses.lake_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["incidents/*"]
    }
  }

  statement {
    sid       = "UseTheLakesKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.key_arns.lake]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.context.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "TellPeople"
    actions   = ["sns:Publish"]
    resources = [var.uses.alert_topic_arn]
  }

  statement {
    sid       = "UseTheTopicsKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.key_arns.alerts]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["sns.${var.context.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "SendTraces"
    actions   = ["xray:PutTraceSegments", "xray:PutSpans", "xray:PutSpansForIndexing"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "this" {
  name               = "${local.name}-airflow"
  description        = "MWAA schedules the runs"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  for_each = {
    of-aws = data.aws_iam_policy_document.of_aws.json
    ours   = data.aws_iam_policy_document.ours.json
  }

  name   = each.key
  role   = aws_iam_role.this.id
  policy = each.value
}
