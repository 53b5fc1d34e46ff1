# Owns the secrets, empty (people fill them: docs/deploy.md), and the settings as parameters, for people outside the
# containers; the containers have the same values in their task definition.

locals {
  login = "JSON with host, port, database, username, password"

  secrets = {
    "airbyte"               = "Application of the Airbyte server: JSON with client_id, client_secret"
    "warehouse/loader"      = "The loader's login to Redshift: ${local.login}"
    "warehouse/transformer" = "dbt's login to Redshift: ${local.login}"
    "warehouse/maintainer"  = "The weekly clean-up's login to Redshift: ${local.login}"
  }

  # MWAA's secrets backend looks for them by these names.
  airflow_secrets = {
    "airflow/connections/airbyte_default" = "MWAA's connection to Airbyte: JSON with conn_type, host, login, password"
  }

  names = merge({ for name, words in local.secrets : "${var.context.name}/${name}" => words }, {
    for name, words in local.airflow_secrets : "${var.context.name}/${name}" => words
  })

  arn_prefix = "arn:${var.context.partition}:secretsmanager:${var.context.region}:${var.context.account_id}:secret"
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Airbyte has no rotation that a function could do, and the steps' logins rotate by hand (docs/deploy.md); the administrator's is rotated by Redshift.
  for_each = local.names

  name                    = each.key
  description             = each.value
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.is_disposable ? 0 : 30
}

resource "aws_ssm_parameter" "setting" {
  for_each = var.values

  name        = "/${var.context.name}/settings/${each.key}"
  description = "As in the steps' task definitions"
  type        = "SecureString"
  key_id      = var.key_arn
  value       = each.value
}
