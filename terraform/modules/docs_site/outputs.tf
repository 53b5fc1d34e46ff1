output "bucket" {
  description = "Read by the settings (SPACEX_ELT_DOCS_BUCKET)."
  value       = module.bucket.name
}

output "arn" {
  description = "Read by the publisher's policy."
  value       = module.bucket.arn
}

output "url" {
  description = "Where people open the site. Read by the settings (SPACEX_ELT_DOCS_URL)."
  value = (
    var.domain == null
    ? "https://${var.context.region}.console.aws.amazon.com/s3/buckets/${module.bucket.name}"
    : "https://${var.domain}"
  )
}

output "load_balancer_dns_name" {
  description = "Where the domain's record in the private zone points; null when there is no private site. Read by people (docs/deploy.md)."
  value       = one(aws_lb.this[*].dns_name)
}

output "distribution_domain_name" {
  description = "Where the domain's record points when the site is public; null else. Read by people (docs/deploy.md)."
  value       = one(aws_cloudfront_distribution.this[*].domain_name)
}
