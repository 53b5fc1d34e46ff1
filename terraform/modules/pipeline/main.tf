# Owns where the steps run: cluster, log group, and one task definition for each family of steps.

locals {
  container = "pipeline"

  # Which steps a family runs is the DAGs' matter (dags/spacex_airflow/names.py).
  families = {
    loader      = "plan, gate, load, replay"
    transformer = "transform"
    publisher   = "publish"
    maintainer  = "maintain"
  }

  log_group     = "/${var.context.name}/steps"
  log_group_arn = "arn:${var.context.partition}:logs:${var.context.region}:${var.context.account_id}:log-group:${local.log_group}"

  # The template that the local stack reads as well: ECS' RegisterTaskDefinition with ${names}.
  definitions = {
    for family, _ in local.families : family => jsondecode(templatefile("${path.module}/../../task_definition.json.tftpl", merge(
      var.settings,
      {
        family              = "${var.context.name}-${family}"
        cpu                 = tostring(var.sizes[family].cpu)
        memory              = tostring(var.sizes[family].memory)
        image               = coalesce(var.image, "none")
        execution_role_arn  = aws_iam_role.execution.arn
        task_role_arn       = aws_iam_role.task[family].arn
        warehouse_secret_id = lookup(var.secrets.names, "warehouse/${family}", "none")
        warehouse_cluster   = "" # the steps log in by their secret; a setting that is empty is none
        warehouse_workgroup = ""
        warehouse_database  = ""
        airbyte_secret_id   = var.secrets.names["airbyte"]
        log_group           = local.log_group
        log_stream_prefix   = local.container
        region              = var.context.region
      },
    )))
  }
}

resource "aws_cloudwatch_log_group" "steps" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}

resource "aws_ecs_cluster" "this" {
  name = var.context.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE"]
}

resource "aws_ecs_task_definition" "this" {
  for_each = var.image == null ? {} : local.definitions

  family                   = each.value.family
  network_mode             = each.value.networkMode
  requires_compatibilities = each.value.requiresCompatibilities
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = each.value.executionRoleArn
  task_role_arn            = each.value.taskRoleArn
  skip_destroy             = true # a rollback names a former revision
  container_definitions = jsonencode(concat(
    [for container in each.value.containerDefinitions : merge(container, {
      environment = concat(container.environment, local.collector_environment)
    })],
    local.collector_containers,
  ))

  runtime_platform {
    cpu_architecture        = each.value.runtimePlatform.cpuArchitecture
    operating_system_family = each.value.runtimePlatform.operatingSystemFamily
  }

  dynamic "volume" {
    for_each = each.value.volumes
    content {
      name = volume.value.name
    }
  }

  tags = { Steps = local.families[each.key] }
}
