# Owns the private site: an internal load balancer with TLS in front of an S3 endpoint of its own.

locals {
  # Fixed, so that the target group can name them: the 250th address of each subnet, which AWS hands out to no one before.
  endpoint_addresses = [for cidr in var.network.subnet_cidrs : cidrhost(cidr, 250)]
}

data "aws_iam_policy_document" "endpoint" {
  #checkov:skip=CKV_AWS_283:Readers do not sign: the endpoint's group lets the load balancer in alone, the policy to one bucket alone.
  count = local.has_private_site ? 1 : 0

  statement {
    sid       = "ReadTheSite"
    actions   = ["s3:GetObject"]
    resources = ["${module.bucket.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

resource "aws_vpc_endpoint" "s3" {
  count = local.has_private_site ? 1 : 0

  vpc_id              = var.network.vpc_id
  service_name        = "com.amazonaws.${var.context.region}.s3"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = false # the lake's traffic stays on the gateway
  security_group_ids  = [var.network.endpoint_security_group_id]
  subnet_ids          = var.network.subnet_ids
  policy              = data.aws_iam_policy_document.endpoint[0].json

  dynamic "subnet_configuration" {
    for_each = zipmap(var.network.subnet_ids, local.endpoint_addresses)
    content {
      subnet_id = subnet_configuration.key
      ipv4      = subnet_configuration.value
    }
  }

  tags = { Name = "${var.context.name}-docs-s3" }
}

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_28:No firewall for web applications: internal, static pages, no input.
  #checkov:skip=CKV_AWS_150:Deletion protection follows is_disposable, which checkov cannot resolve.
  #checkov:skip=CKV2_AWS_20:It listens on 443 only: there is no port 80 to redirect.
  count = local.has_private_site ? 1 : 0

  name                       = "${var.context.name}-docs"
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = var.network.subnet_ids
  security_groups            = [var.network.docs_security_group_id]
  drop_invalid_header_fields = true
  enable_deletion_protection = !var.is_disposable

  access_logs {
    bucket  = var.log_bucket
    prefix  = "alb"
    enabled = true
  }
}

resource "aws_lb_target_group" "s3" {
  count = local.has_private_site ? 1 : 0

  name        = "${var.context.name}-docs"
  port        = 443
  protocol    = "HTTPS"
  target_type = "ip"
  vpc_id      = var.network.vpc_id

  health_check {
    protocol = "HTTPS"
    path     = "/"
    matcher  = "200,307,403,405" # S3 does not know the health check's host
  }
}

resource "aws_lb_target_group_attachment" "s3" {
  for_each = local.has_private_site ? toset(local.endpoint_addresses) : []

  target_group_arn = aws_lb_target_group.s3[0].arn
  target_id        = each.value
  port             = 443
}

resource "aws_lb_listener" "https" {
  count = local.has_private_site ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.s3[0].arn
  }
}

resource "aws_lb_listener_rule" "front_page" {
  count = local.has_private_site ? 1 : 0

  listener_arn = aws_lb_listener.https[0].arn
  priority     = 1

  condition {
    path_pattern {
      values = ["*/"]
    }
  }

  action {
    type = "redirect"

    redirect {
      path        = "/#{path}index.html"
      status_code = "HTTP_302"
    }
  }
}
