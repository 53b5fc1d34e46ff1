# Owns the lake: what Airbyte lands, what the gates make of it, what each run said.
#
# The maintenance step, which knows what the published tables still refer to, deletes by age. The lifecycle cannot know,
# so it only deletes what that step cannot have left for a reason (quarantine), and removes deleted versions for good.

locals {
  # By top folder: loader/layout.py names them. Objects expire here only where nothing published can refer to them.
  prefixes = {
    landing    = { infrequent_days = 90, noncurrent_days = 30 } # what people may need again: a month after its deletion
    accepted   = { infrequent_days = 90, noncurrent_days = 7 }
    digests    = { noncurrent_days = 7 }
    manifests  = { noncurrent_days = 7 }
    replays    = { noncurrent_days = 7 }
    quarantine = { expire_days = var.quarantine_retention_days + 30, noncurrent_days = 7 }
    decisions  = { expire_days = max(var.quarantine_retention_days, var.lake_retention_days) + 30, noncurrent_days = 30 }
    runs       = { infrequent_days = 90, noncurrent_days = 7 }
    records    = { noncurrent_days = 90 } # history: never expires
    incidents  = { noncurrent_days = 90 }
  }
}

data "aws_iam_policy_document" "landing" {
  statement {
    sid     = "LandingIsImmutable"
    effect  = "Deny"
    actions = ["s3:DeleteObject"]
    # Below a dataset's folder: Airbyte's test of its connection writes and deletes beside them.
    resources = ["${module.bucket.arn}/landing/*/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [var.deleter_role_arn]
    }
  }

  # A deleted object can be brought back until the lifecycle, to which no policy applies, removes its versions.
  dynamic "statement" {
    for_each = var.is_disposable ? [] : [1]
    content {
      sid       = "VersionsAreTheLifecycles"
      effect    = "Deny"
      actions   = ["s3:DeleteObjectVersion"]
      resources = ["${module.bucket.arn}/landing/*"]

      principals {
        type        = "AWS"
        identifiers = ["*"]
      }
    }
  }
}

module "bucket" {
  source = "../bucket"

  context         = var.context
  purpose         = "lake"
  key_arn         = var.key_arn
  log_bucket      = var.log_bucket
  statements_json = data.aws_iam_policy_document.landing.json
  is_disposable   = var.is_disposable

  lifecycles = { for folder, days in local.prefixes : folder => merge(days, { prefix = "${folder}/" }) }
}
