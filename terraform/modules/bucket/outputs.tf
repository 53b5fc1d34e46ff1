output "name" {
  description = "Read by the settings, and by who names objects."
  value       = aws_s3_bucket.this.id
}

output "arn" {
  description = "Made of the name. Read by the roles' policies, which a plan can show before the bucket is there."
  value       = local.arn
}

output "regional_domain_name" {
  description = "Read by the public docs site's distribution."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
