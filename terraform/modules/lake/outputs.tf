output "bucket" {
  description = "Read by the settings (SPACEX_ELT_LAKE_BUCKET)."
  value       = module.bucket.name
}

output "arn" {
  description = "Read by the policies of all roles that touch the lake."
  value       = module.bucket.arn
}
