# Owns the bucket of the data docs site and the way people reach it; what is in it is the publish step's.

locals {
  is_public        = var.access == "public"
  has_private_site = !local.is_public && var.domain != null

  # A load balancer can only hand a request on to S3 as it is: the bucket is the one that the host name says.
  bucket_name = local.has_private_site ? var.domain : null
}

# Who reads: CloudFront, or whoever comes through the endpoint that only the load balancer reaches.
data "aws_iam_policy_document" "readers" {
  dynamic "statement" {
    for_each = local.is_public ? [1] : []
    content {
      sid       = "CloudFrontReads"
      actions   = ["s3:GetObject"]
      resources = ["${module.bucket.arn}/*"]

      principals {
        type        = "Service"
        identifiers = ["cloudfront.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceArn"
        values   = [aws_cloudfront_distribution.this[0].arn]
      }
    }
  }

  dynamic "statement" {
    for_each = local.has_private_site ? [1] : []
    content {
      sid       = "PrivateNetworkReads"
      actions   = ["s3:GetObject"]
      resources = ["${module.bucket.arn}/*"]

      principals {
        type        = "AWS"
        identifiers = ["*"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceVpce"
        values   = [aws_vpc_endpoint.s3[0].id]
      }
    }
  }
}

module "bucket" {
  source = "../bucket"

  context         = var.context
  purpose         = "docs"
  bucket_name     = local.bucket_name
  key_arn         = local.has_private_site ? null : var.key_arn # who reads without signing cannot use a key
  log_bucket      = var.log_bucket
  statements_json = local.is_public || local.has_private_site ? data.aws_iam_policy_document.readers.json : null
  lifecycles      = { replaced-pages = { prefix = "", noncurrent_days = 30 } }
  is_disposable   = var.is_disposable
}
