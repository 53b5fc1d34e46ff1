# Owns the VPC, its subnets and their routes. Three kinds of subnet: public (Airbyte and NAT), orchestration (MWAA, whose
# workers install packages through NAT) and isolated (everything else: no route to the internet at all).

locals {
  zones = { for index, zone in var.availability_zones : zone => index }

  # One /20 of the /16 for each zone and kind.
  cidrs = {
    for kind, offset in { public = 0, orchestration = 4, isolated = 8 } :
    kind => { for zone, index in local.zones : zone => cidrsubnet(var.cidr, 4, offset + index) }
  }

  orchestration_zones = toset(slice(var.availability_zones, 0, 2)) # MWAA takes exactly two
  nat_zones           = var.is_highly_available ? local.orchestration_zones : toset([var.availability_zones[0]])
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs are on, in flow_logs.tf; checkov does not follow them through the module.
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.context.name }
}

# The default group stays, as AWS does not let go of it; without rules nothing can use it.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.context.name}-unused" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.context.name }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = local.cidrs.public[each.key]
  map_public_ip_on_launch = false # Airbyte's instance asks for its address itself

  tags = { Name = "${var.context.name}-public-${each.key}" }
}

resource "aws_subnet" "orchestration" {
  for_each = local.orchestration_zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = local.cidrs.orchestration[each.key]

  tags = { Name = "${var.context.name}-orchestration-${each.key}" }
}

resource "aws_subnet" "isolated" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = local.cidrs.isolated[each.key]

  tags = { Name = "${var.context.name}-isolated-${each.key}" }
}

resource "aws_eip" "nat" {
  #checkov:skip=CKV2_AWS_19:It is a NAT gateway's, in this file; no instance has it.
  for_each = local.nat_zones

  domain = "vpc"

  tags = { Name = "${var.context.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = local.nat_zones

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.context.name}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.context.name}-public" }
}

resource "aws_route" "public_internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = local.zones

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "orchestration" {
  for_each = local.orchestration_zones

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.context.name}-orchestration-${each.key}" }
}

resource "aws_route" "orchestration_out" {
  for_each = local.orchestration_zones

  route_table_id         = aws_route_table.orchestration[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.is_highly_available ? each.key : var.availability_zones[0]].id
}

resource "aws_route_table_association" "orchestration" {
  for_each = local.orchestration_zones

  subnet_id      = aws_subnet.orchestration[each.key].id
  route_table_id = aws_route_table.orchestration[each.key].id
}

resource "aws_route_table" "isolated" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.context.name}-isolated" }
}

resource "aws_route_table_association" "isolated" {
  for_each = local.zones

  subnet_id      = aws_subnet.isolated[each.key].id
  route_table_id = aws_route_table.isolated.id
}
