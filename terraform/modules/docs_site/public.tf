# Owns the public site: CloudFront, which alone reads the bucket (origin access control), with a strict set of headers.

resource "aws_cloudfront_origin_access_control" "this" {
  count = local.is_public ? 1 : 0

  name                              = "${var.context.name}-docs"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_response_headers_policy" "this" {
  #checkov:skip=CKV_AWS_259:HSTS is on, for two years, but for browsers' preload lists: those take whole domains, which are not this site's to enter.
  count = local.is_public ? 1 : 0

  name = "${var.context.name}-docs"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    content_security_policy {
      # Pages, styles and scripts of the site itself, inline ones included: nothing from elsewhere, nothing sent.
      content_security_policy = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
      override                = true
    }
  }
}

resource "aws_cloudfront_function" "front_page" {
  count = local.is_public ? 1 : 0

  name    = "${var.context.name}-docs-front-page"
  runtime = "cloudfront-js-2.0"
  comment = "A folder's page is its index.html"
  publish = true
  code    = file("${path.module}/front_page.js")
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_310:One origin: a bucket is in three zones already, and the site is made anew by each run.
  #checkov:skip=CKV_AWS_374:Public means everywhere: no country is left out.
  #checkov:skip=CKV_AWS_68:No firewall for web applications: static pages, no input, nothing behind them.
  #checkov:skip=CKV2_AWS_47:The same: there is no firewall and no Java behind it.
  #checkov:skip=CKV_AWS_86:Its log delivery stands in us-east-1 only or wants access lists; nothing is cached, so S3 logs each read.
  count = local.is_public ? 1 : 0

  enabled             = true
  comment             = "${var.context.name}: data docs"
  default_root_object = "index.html"
  aliases             = [var.domain]
  price_class         = "PriceClass_100"
  is_ipv6_enabled     = true
  http_version        = "http2and3"

  origin {
    origin_id                = "docs"
    domain_name              = module.bucket.regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.this[0].id
  }

  default_cache_behavior {
    target_origin_id           = "docs"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    viewer_protocol_policy     = "redirect-to-https"
    compress                   = true
    cache_policy_id            = "4135ea2d-6df8-44a3-9df3-4be5a84be39a" # AWS' own CachingDisabled: each run makes the pages anew
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this[0].id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.front_page[0].arn
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }
}
