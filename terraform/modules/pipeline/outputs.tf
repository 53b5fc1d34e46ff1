output "cluster" {
  description = "Read by the orchestration module's policy, alarms and the DAGs' deployment file."
  value       = aws_ecs_cluster.this.name
}

output "task_definitions" {
  description = "family:revision by family. Read by the DAGs' deployment file: this ties the DAGs to the image."
  value       = { for family, definition in aws_ecs_task_definition.this : family => "${definition.family}:${definition.revision}" }
}

output "family_prefix" {
  description = "What every family's name begins with. Read by the orchestration module's policy."
  value       = "${var.context.name}-"
}

output "passed_role_arns" {
  description = "Made of the names. The roles that MWAA may hand to a step, and no other."
  value = [
    for role in concat(["execution"], keys(local.families)) :
    "arn:${var.context.partition}:iam::${var.context.account_id}:role/${var.context.name}-${role}"
  ]
}

output "log_group" {
  description = "Read by the DAGs' deployment file, the orchestration module's policy and the dashboard."
  value       = { name = local.log_group, arn = local.log_group_arn }
}
