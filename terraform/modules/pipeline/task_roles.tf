# Owns what each family of steps may do, and nothing more. The lake's folders are those of loader/layout.py.

locals {
  every_folder = ["landing", "accepted", "digests", "manifests", "quarantine", "decisions", "replays", "runs", "records", "incidents"]

  # By family: which folders of the lake it reads, writes and deletes from, and which services it speaks to.
  needs = {
    loader = {
      reads   = local.every_folder
      writes  = ["accepted", "digests", "manifests", "quarantine", "decisions", "replays", "runs"]
      deletes = []
      login   = true # to Redshift
      alerts  = false
      airbyte = true
      docs    = false
    }
    transformer = {
      reads   = ["runs"]
      writes  = ["runs"]
      deletes = []
      login   = true
      alerts  = false
      airbyte = false
      docs    = false
    }
    publisher = {
      reads   = ["runs", "records", "incidents"]
      writes  = ["runs", "records", "incidents"]
      deletes = []
      login   = false
      alerts  = true
      airbyte = false
      docs    = true
    }
    maintainer = {
      reads   = ["manifests", "runs", "records", "incidents"]
      writes  = ["runs", "incidents"]
      deletes = ["landing", "accepted", "digests", "manifests", "quarantine", "decisions", "replays", "runs"]
      login   = true
      alerts  = true
      airbyte = false
      docs    = false
    }
  }

  # What a family lists: what it reads, writes or deletes from.
  listed = { for family, need in local.needs : family => distinct(concat(need.reads, need.writes, need.deletes)) }
}

data "aws_iam_policy_document" "task" {
  for_each = local.needs

  statement {
    sid       = "ReadTheLake"
    actions   = ["s3:GetObject"]
    resources = [for folder in each.value.reads : "${var.bucket_arns.lake}/${folder}/*"]
  }

  statement {
    sid       = "WriteTheLake"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = [for folder in each.value.writes : "${var.bucket_arns.lake}/${folder}/*"]
  }

  dynamic "statement" {
    for_each = length(each.value.deletes) == 0 ? [] : [1]
    content {
      sid       = "DeleteWhatIsTooOld"
      actions   = ["s3:DeleteObject"]
      resources = [for folder in each.value.deletes : "${var.bucket_arns.lake}/${folder}/*"]
    }
  }

  statement {
    sid       = "ListTheLake"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arns.lake]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for folder in local.listed[each.key] : "${folder}/*"]
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

  dynamic "statement" {
    for_each = each.value.docs ? [1] : []
    content {
      sid       = "PutTheSiteUp"
      actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      resources = ["${var.bucket_arns.docs}/*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.docs ? [1] : []
    content {
      sid       = "UseTheSitesKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.key_arns.docs]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${var.context.region}.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.value.login || each.value.airbyte ? [1] : []
    content {
      sid     = "ReadItsLogins"
      actions = ["secretsmanager:GetSecretValue"]
      resources = compact([
        each.value.login ? var.secrets.arn_patterns["warehouse/${each.key}"] : "",
        each.value.airbyte ? var.secrets.arn_patterns["airbyte"] : "",
      ])
    }
  }

  dynamic "statement" {
    for_each = each.value.login || each.value.airbyte ? [1] : []
    content {
      sid       = "DecryptItsLogins"
      actions   = ["kms:Decrypt"]
      resources = [var.key_arns.secrets]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${var.context.region}.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.value.alerts ? [1] : []
    content {
      sid       = "TellPeople"
      actions   = ["sns:Publish"]
      resources = [var.settings["alert_topic_arn"]]
    }
  }

  dynamic "statement" {
    for_each = each.value.alerts ? [1] : []
    content {
      sid       = "UseTheTopicsKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.key_arns.alerts]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sns.${var.context.region}.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = local.has_collector ? [1] : []
    content {
      sid       = "SendTraces"
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role" "task" {
  for_each = local.needs

  name               = "${var.context.name}-${each.key}"
  description        = "Steps: ${local.families[each.key]}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "task" {
  for_each = local.needs

  name   = "steps"
  role   = aws_iam_role.task[each.key].id
  policy = data.aws_iam_policy_document.task[each.key].json
}
