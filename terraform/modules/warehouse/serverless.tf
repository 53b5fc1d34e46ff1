# Owns the serverless warehouse.

resource "aws_redshiftserverless_namespace" "this" {
  count = local.is_cluster ? 0 : 1

  namespace_name                   = local.name
  db_name                          = local.database
  admin_username                   = local.admin
  manage_admin_password            = true # made, kept and rotated in Secrets Manager: never in a state
  admin_password_secret_kms_key_id = var.key_arns.secrets
  kms_key_id                       = var.key_arns.warehouse
  log_exports                      = local.log_exports
  iam_roles                        = [aws_iam_role.copy.arn]
  default_iam_role_arn             = aws_iam_role.copy.arn

  depends_on = [aws_cloudwatch_log_group.audit]
}

resource "aws_redshiftserverless_workgroup" "this" {
  count = local.is_cluster ? 0 : 1

  workgroup_name       = local.name
  namespace_name       = aws_redshiftserverless_namespace.this[0].namespace_name
  base_capacity        = var.serverless.base_rpus
  max_capacity         = var.serverless.max_rpus
  subnet_ids           = var.subnet_ids
  security_group_ids   = [var.security_group_id]
  publicly_accessible  = false
  enhanced_vpc_routing = true
  port                 = local.port

  config_parameter {
    parameter_key   = "require_ssl"
    parameter_value = "true"
  }

  config_parameter {
    parameter_key   = "enable_user_activity_logging"
    parameter_value = "true"
  }

  config_parameter {
    parameter_key   = "max_query_execution_time"
    parameter_value = "3600" # seconds; the longest step's own limit is half of it
  }
}

resource "aws_redshiftserverless_usage_limit" "month" {
  count = local.is_cluster ? 0 : 1

  resource_arn  = aws_redshiftserverless_workgroup.this[0].arn
  usage_type    = "serverless-compute"
  period        = "monthly"
  amount        = var.serverless.monthly_rpu_hours
  breach_action = "deactivate"
}
