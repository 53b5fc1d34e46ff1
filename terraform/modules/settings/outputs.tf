output "secrets" {
  description = "By purpose: the name, and the ARN with the six characters that Secrets Manager adds. Read by the pipeline's settings (SPACEX_ELT_…_SECRET_ID) and its roles' policies."
  value = {
    names        = { for purpose, _ in local.secrets : purpose => "${var.context.name}/${purpose}" }
    arn_patterns = { for purpose, _ in local.secrets : purpose => "${local.arn_prefix}:${var.context.name}/${purpose}-??????" }
  }
}

output "airflow_secret_arn_pattern" {
  description = "MWAA's connections and variables. Read by its role's policy."
  value       = "${local.arn_prefix}:${var.context.name}/airflow/*"
}

output "parameter_path" {
  description = "Read by people: aws ssm get-parameters-by-path (docs/deploy.md)."
  value       = "/${var.context.name}/settings"
}
