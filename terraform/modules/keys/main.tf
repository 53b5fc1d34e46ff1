# Owns the customer-managed keys, one for each purpose. Who may use a key through its service is said by the roles'
# own policies; a key's policy adds only the AWS services that use it for nobody's role.

locals {
  account_root = "arn:${var.context.partition}:iam::${var.context.account_id}:root"

  purposes = {
    lake          = "Data in the lake"
    docs          = "The data docs site"
    warehouse     = "Redshift's storage and snapshots"
    secrets       = "Secrets and settings"
    logs          = "Log groups"
    alerts        = "The alert topic and its dead-letter queue"
    orchestration = "MWAA's storage, queue and logs"
    extraction    = "Airbyte's disk"
  }

  log_services = toset(["logs", "orchestration"])
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:A key's policy: its resource is the key itself, and the account's own IAM must be able to administer it.
  #checkov:skip=CKV_AWS_111:The same.
  #checkov:skip=CKV_AWS_356:The same.
  for_each = local.purposes

  statement {
    sid       = "IamDecides"
    actions   = ["kms:*"]
    resources = ["*"] # in a key's policy: this key

    principals {
      type        = "AWS"
      identifiers = [local.account_root]
    }
  }

  dynamic "statement" {
    for_each = contains(local.log_services, each.key) ? [1] : []
    content {
      sid       = "CloudWatchLogs"
      actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["logs.${var.context.region}.amazonaws.com"]
      }

      condition {
        test     = "StringLike"
        variable = "kms:EncryptionContext:aws:logs:arn"
        values   = ["arn:${var.context.partition}:logs:${var.context.region}:${var.context.account_id}:log-group:*"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.key == "alerts" ? [1] : []
    content {
      sid       = "AlarmsAndBudgetsPublish"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com", "sns.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [var.context.account_id]
      }
    }
  }

  dynamic "statement" {
    for_each = each.key == "docs" ? [1] : []
    content {
      sid       = "CloudFrontReads"
      actions   = ["kms:Decrypt"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["cloudfront.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = ["arn:${var.context.partition}:cloudfront::${var.context.account_id}:distribution/*"]
      }
    }
  }
}

resource "aws_kms_key" "this" {
  for_each = local.purposes

  description             = "${var.context.name}: ${each.value}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key[each.key].json
}

resource "aws_kms_alias" "this" {
  for_each = local.purposes

  name          = "alias/${var.context.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
