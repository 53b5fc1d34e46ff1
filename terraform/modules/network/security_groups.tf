# Owns who may talk to whom. One group for each part; rules name groups, and nothing is open to the internet.

locals {
  groups = {
    airbyte       = "Airbyte's instance: out to the SpaceX API and the lake, in from those that order a sync"
    endpoints     = "Interface endpoints of AWS services"
    orchestration = "MWAA: schedules, orders syncs and steps"
    pipeline      = "The steps, in containers on ECS"
    warehouse     = "Redshift"
    docs          = "The private data docs site"
  }

  # Who calls whom, on which port, and why. Each is one egress rule and one ingress rule.
  calls = {
    pipeline_warehouse      = { from = "pipeline", to = "warehouse", port = 5439, why = "COPY, queries, dbt" }
    pipeline_airbyte        = { from = "pipeline", to = "airbyte", port = 8000, why = "what a sync landed" }
    orchestration_airbyte   = { from = "orchestration", to = "airbyte", port = 8000, why = "order and follow a sync" }
    pipeline_endpoints      = { from = "pipeline", to = "endpoints", port = 443, why = "AWS services" }
    orchestration_endpoints = { from = "orchestration", to = "endpoints", port = 443, why = "AWS services" }
    warehouse_endpoints     = { from = "warehouse", to = "endpoints", port = 443, why = "AWS services, as enhanced VPC routing wants" }
    docs_endpoints          = { from = "docs", to = "endpoints", port = 443, why = "the docs bucket" }
  }

  s3_callers = toset(["pipeline", "orchestration", "warehouse"])

  # Out to the internet, by way of a public address (Airbyte) or NAT (MWAA).
  internet_callers = {
    airbyte       = "the SpaceX API, connector images, the lake"
    orchestration = "Python packages, when the environment is updated"
  }
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:Each is attached by the module that owns the part; checkov does not follow the output.
  for_each = local.groups

  name        = "${var.context.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.context.name}-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "call" {
  for_each = local.calls

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "To ${each.value.to}: ${each.value.why}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "call" {
  for_each = local.calls

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "From ${each.value.from}: ${each.value.why}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each = local.s3_callers

  security_group_id = aws_security_group.this[each.value].id
  prefix_list_id    = data.aws_ec2_managed_prefix_list.s3.id
  description       = "To S3 by the gateway endpoint"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each = local.internet_callers

  security_group_id = aws_security_group.this[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To the internet: ${each.value}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# MWAA's scheduler, workers, web server and database find each other by the one group.
resource "aws_vpc_security_group_ingress_rule" "orchestration_itself" {
  security_group_id            = aws_security_group.this["orchestration"].id
  referenced_security_group_id = aws_security_group.this["orchestration"].id
  description                  = "MWAA's components among themselves"
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "orchestration_itself" {
  security_group_id            = aws_security_group.this["orchestration"].id
  referenced_security_group_id = aws_security_group.this["orchestration"].id
  description                  = "MWAA's components among themselves"
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "docs_readers" {
  for_each = toset(var.docs_reader_cidrs)

  security_group_id = aws_security_group.this["docs"].id
  cidr_ipv4         = each.value
  description       = "People on a private network read the data docs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
