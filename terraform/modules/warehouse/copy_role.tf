# Owns the role that Redshift takes on to COPY. The loader names it and cannot take it on itself.

data "aws_iam_policy_document" "copy_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.context.account_id]
    }
  }
}

data "aws_iam_policy_document" "copy" {
  statement {
    sid     = "ReadBatches"
    actions = ["s3:GetObject"]
    resources = [
      for folder in ["landing", "accepted", "replays", "manifests"] : "${var.lake_arn}/${folder}/*"
    ]
  }

  statement {
    sid       = "ListBatches"
    actions   = ["s3:ListBucket"]
    resources = [var.lake_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["landing/*", "accepted/*", "replays/*", "manifests/*"]
    }
  }

  statement {
    sid       = "FindTheBucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [var.lake_arn]
  }

  statement {
    sid       = "ReadEncrypted"
    actions   = ["kms:Decrypt"]
    resources = [var.key_arns.lake]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.context.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "copy" {
  name                 = "${var.context.name}-copy"
  description          = "Redshift reads accepted batches of the lake"
  assume_role_policy   = data.aws_iam_policy_document.copy_trust.json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "copy" {
  name   = "read-batches"
  role   = aws_iam_role.copy.id
  policy = data.aws_iam_policy_document.copy.json
}
