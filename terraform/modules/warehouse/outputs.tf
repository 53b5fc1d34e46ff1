output "copy_role_arn" {
  description = "Read by the settings (SPACEX_ELT_COPY_ROLE_ARN): the loader's COPY names it."
  value       = aws_iam_role.copy.arn
}

output "address" {
  description = "Host, port and database. Read by people who fill the steps' secrets (docs/deploy.md)."
  value = {
    host = one(concat(
      aws_redshift_cluster.this[*].dns_name,
      flatten([for group in aws_redshiftserverless_workgroup.this : group.endpoint[*].address]),
    ))
    port     = local.port
    database = local.database
  }
}

output "admin_secret_arn" {
  description = "The administrator's login, which Redshift rotates. Read by people who make the steps' users (docs/deploy.md)."
  value = one(concat(
    aws_redshift_cluster.this[*].master_password_secret_arn,
    aws_redshiftserverless_namespace.this[*].admin_password_secret_arn,
  ))
}

output "identity" {
  description = "What the machine is called. Read by the dashboard and by alarms."
  value       = { mode = var.mode, name = local.name }
}

output "log_groups" {
  description = "Read by the dashboard."
  value       = sort([for group in aws_cloudwatch_log_group.audit : group.name])
}
