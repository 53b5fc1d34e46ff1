# Owns how private parts reach AWS: S3 by a gateway, other services by interfaces in the isolated subnets.

locals {
  # Service, and who needs it.
  interface_services = {
    "ecr.api"             = "ECS pulls the image"
    "ecr.dkr"             = "ECS pulls the image"
    "ecs"                 = "MWAA runs the steps"
    "logs"                = "ECS and MWAA write logs, MWAA reads the steps' results"
    "monitoring"          = "MWAA's own metrics"
    "kms"                 = "MWAA's queue, secrets"
    "secretsmanager"      = "the steps' logins, MWAA's connections"
    "ssm"                 = "the steps' settings, for people with a session"
    "sns"                 = "alerts"
    "sqs"                 = "MWAA's queue"
    "sts"                 = "whoever is asked for its identity"
    "xray"                = "traces"
    "redshift"            = "the steps' database credentials (provisioned)"
    "redshift-serverless" = "the steps' database credentials (serverless)"
    "airflow.api"         = "MWAA"
    "airflow.env"         = "MWAA"
    "airflow.ops"         = "MWAA"
  }

  # MWAA's components run in an account of AWS' own and may come in under it: these endpoints keep the default policy.
  shared_with_mwaa = toset(["ecr.api", "ecr.dkr", "logs", "monitoring", "kms", "sqs", "airflow.api", "airflow.env", "airflow.ops"])

  endpoint_zones = var.is_highly_available ? var.availability_zones : [var.availability_zones[0]]
}

data "aws_iam_policy_document" "s3" {
  #checkov:skip=CKV_AWS_283:An endpoint's policy lets through what the roles' own policies allow, to this account's buckets alone.
  statement {
    sid       = "OurBuckets"
    actions   = ["s3:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [var.context.account_id]
    }
  }

  statement {
    sid       = "ImageLayers"
    actions   = ["s3:GetObject"]
    resources = ["arn:${var.context.partition}:s3:::prod-${var.context.region}-starport-layer-bucket/*"] # ECR's

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

data "aws_iam_policy_document" "interface" {
  #checkov:skip=CKV_AWS_1:An endpoint's policy lets through what the roles' own policies allow, from this account alone.
  #checkov:skip=CKV_AWS_49:The same.
  statement {
    sid       = "OurPrincipals"
    actions   = ["*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [var.context.account_id]
    }
  }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.context.region}.s3"
  vpc_endpoint_type = "Gateway"
  policy            = data.aws_iam_policy_document.s3.json
  route_table_ids   = concat([aws_route_table.isolated.id], [for table in aws_route_table.orchestration : table.id])

  tags = { Name = "${var.context.name}-s3" }
}

data "aws_ec2_managed_prefix_list" "s3" {
  name = "com.amazonaws.${var.context.region}.s3"
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_services

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.context.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for zone in local.endpoint_zones : aws_subnet.isolated[zone].id]
  security_group_ids  = [aws_security_group.this["endpoints"].id]
  policy              = contains(local.shared_with_mwaa, each.key) ? null : data.aws_iam_policy_document.interface.json

  tags = { Name = "${var.context.name}-${each.key}" }
}
