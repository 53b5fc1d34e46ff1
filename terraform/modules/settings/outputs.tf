output "secret_names" {
  description = "By purpose. Read by the settings (SPACEX_ELT_…_SECRET_ID) and by people who fill them."
  value       = { for purpose, _ in local.secrets : purpose => "${var.context.name}/${purpose}" }
}

output "secret_arn_patterns" {
  description = "By purpose: the ARN with the six characters that Secrets Manager adds. Read by the roles' policies."
  value       = { for purpose, _ in local.secrets : purpose => "${local.arn_prefix}:${var.context.name}/${purpose}-??????" }
}

output "airflow_secret_arn_pattern" {
  description = "MWAA's connections and variables. Read by its role's policy."
  value       = "${local.arn_prefix}:${var.context.name}/airflow/*"
}

output "parameter_path" {
  description = "Read by people: aws ssm get-parameters-by-path (docs/deploy.md)."
  value       = "/${var.context.name}/settings"
}
