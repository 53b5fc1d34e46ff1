# Owns the provisioned warehouse.

resource "aws_redshift_subnet_group" "this" {
  count = local.is_cluster ? 1 : 0

  name        = local.name
  description = "Isolated subnets"
  subnet_ids  = var.subnet_ids
}

resource "aws_redshift_parameter_group" "this" {
  count = local.is_cluster ? 1 : 0

  name        = local.name
  family      = "redshift-2.0"
  description = "TLS only; what each user runs is logged"

  parameter {
    name  = "require_ssl"
    value = "true"
  }

  parameter {
    name  = "enable_user_activity_logging"
    value = "true"
  }

  parameter {
    name  = "statement_timeout"
    value = "3600000" # milliseconds
  }
}

resource "aws_redshift_cluster" "this" {
  #checkov:skip=CKV_AWS_71:Audit logs go to CloudWatch, by aws_redshift_logging below.
  #checkov:skip=CKV_AWS_391:The parameter group above requires TLS.
  #checkov:skip=CKV_AWS_343:snapshot_retention_days is 1 to 35, which checkov cannot resolve.
  count = local.is_cluster ? 1 : 0

  cluster_identifier                   = local.name
  database_name                        = local.database
  master_username                      = local.admin
  manage_master_password               = true # made, kept and rotated in Secrets Manager: never in a state
  master_password_secret_kms_key_id    = var.key_arns.secrets
  node_type                            = var.provisioned.node_type
  number_of_nodes                      = var.provisioned.node_count
  cluster_type                         = var.provisioned.node_count == 1 ? "single-node" : "multi-node"
  port                                 = local.port
  cluster_subnet_group_name            = aws_redshift_subnet_group.this[0].name
  cluster_parameter_group_name         = aws_redshift_parameter_group.this[0].name
  vpc_security_group_ids               = [var.security_group_id]
  publicly_accessible                  = false
  enhanced_vpc_routing                 = true
  encrypted                            = true
  kms_key_id                           = var.key_arns.warehouse
  iam_roles                            = [aws_iam_role.copy.arn]
  default_iam_role_arn                 = aws_iam_role.copy.arn
  automated_snapshot_retention_period  = var.snapshot_retention_days
  availability_zone_relocation_enabled = true
  allow_version_upgrade                = true
  preferred_maintenance_window         = "sun:11:00-sun:12:00" # after the weekly clean-up
  skip_final_snapshot                  = var.is_disposable
  final_snapshot_identifier            = var.is_disposable ? null : "${local.name}-final"
}

resource "aws_redshift_logging" "this" {
  count = local.is_cluster ? 1 : 0

  cluster_identifier   = aws_redshift_cluster.this[0].id
  log_destination_type = "cloudwatch"
  log_exports          = local.log_exports

  depends_on = [aws_cloudwatch_log_group.audit]
}
