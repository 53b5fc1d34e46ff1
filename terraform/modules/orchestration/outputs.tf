output "bucket" {
  description = "Where dags/, requirements.txt and startup.sh go. Read by people (docs/deploy.md)."
  value       = module.bucket.name
}

output "webserver_url" {
  description = "Airflow's user interface; null until there is an environment. Read by people."
  value       = one(aws_mwaa_environment.this[*].webserver_url)
}
