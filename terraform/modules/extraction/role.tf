# Owns what Airbyte's instance may do: write landing/, and be reached by SSM instead of SSH.

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_111:Sessions only: SSM's channels have no resource to name.
  #checkov:skip=CKV_AWS_356:The same.
  statement {
    sid       = "WriteLanding"
    actions   = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${var.lake_arn}/landing/*"]
  }

  statement {
    sid     = "RemoveItsConnectionTest"
    actions = ["s3:DeleteObject"]
    resources = [
      "${var.lake_arn}/landing/_airbyte_connection_test_*",
      "${var.lake_arn}/landing/test_*",
    ]
  }

  statement {
    sid       = "ListLanding"
    actions   = ["s3:ListBucket"]
    resources = [var.lake_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["landing", "landing/*"]
    }
  }

  statement {
    sid       = "FindTheBucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    resources = [var.lake_arn]
  }

  statement {
    sid       = "Encrypt"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [var.key_arns.lake]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.context.region}.amazonaws.com"]
    }
  }

  # What an SSM session needs, of AmazonSSMManagedInstanceCore, which would also read every parameter of the account.
  statement {
    sid = "Sessions"
    actions = [
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.context.name}-airbyte"
  description        = "Airbyte's instance lands data in the lake"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  name   = "land"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.context.name}-airbyte"
  role = aws_iam_role.this.name
}
