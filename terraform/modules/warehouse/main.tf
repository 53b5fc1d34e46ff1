# Owns Redshift's machine: serverless or provisioned. Schemas, tables, users and grants in it are the loader's business.

locals {
  database    = "spacex"
  admin       = "admin"
  is_cluster  = var.mode == "provisioned"
  name        = var.context.name
  port        = 5439
  log_exports = ["connectionlog", "userlog", "useractivitylog"]
  log_prefix  = local.is_cluster ? "/aws/redshift/cluster/${local.name}" : "/aws/redshift/${local.name}"
}

# Made here before Redshift makes them, so that they have a retention and our key.
resource "aws_cloudwatch_log_group" "audit" {
  for_each = toset(local.log_exports)

  name              = "${local.log_prefix}/${each.value}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}
