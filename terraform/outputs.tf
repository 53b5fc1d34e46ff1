output "deployment" {
  description = "The DAGs' deployment file, but for the deadline. Read by `make dist` (docs/deploy.md)."
  value = {
    SPACEX_ELT_ENVIRONMENT           = var.environment
    SPACEX_ELT_ECS_CLUSTER           = module.pipeline.cluster
    SPACEX_ELT_LOADER_TASK           = lookup(module.pipeline.task_definitions, "loader", "")
    SPACEX_ELT_TRANSFORMER_TASK      = lookup(module.pipeline.task_definitions, "transformer", "")
    SPACEX_ELT_PUBLISHER_TASK        = lookup(module.pipeline.task_definitions, "publisher", "")
    SPACEX_ELT_MAINTAINER_TASK       = lookup(module.pipeline.task_definitions, "maintainer", "")
    SPACEX_ELT_LOG_GROUP             = module.pipeline.log_group.name
    SPACEX_ELT_SUBNET_IDS            = join(",", module.network.isolated_subnet_ids)
    SPACEX_ELT_SECURITY_GROUP_IDS    = module.network.security_group_ids["pipeline"]
    SPACEX_ELT_LAKE_BUCKET           = module.lake.bucket
    SPACEX_ELT_ALERT_TOPIC_ARN       = module.alerts.topic_arn
    SPACEX_ELT_AIRBYTE_CONNECTION_ID = var.release.airbyte_connection_id
  }
}

output "airflow" {
  description = "The bucket for dags/, requirements.txt and startup.sh, and the user interface. Read by people (docs/deploy.md)."
  value       = { bucket = module.orchestration.bucket, url = module.orchestration.webserver_url }
}

output "airbyte" {
  description = "The instance, for sessions, and the address inside the VPC. Read by people (docs/deploy.md)."
  value       = { instance_id = module.extraction.instance_id, url = module.extraction.url }
}

output "repository_url" {
  description = "Where the image is pushed. Read by people (docs/deploy.md)."
  value       = module.registry.repository_url
}

output "warehouse" {
  description = "Address and the administrator's secret. Read by people who make the steps' users (docs/deploy.md)."
  value       = { address = module.warehouse.address, admin_secret_arn = module.warehouse.admin_secret_arn, log_groups = module.warehouse.log_groups }
}

output "settings_path" {
  description = "Where the pipeline's settings lie as parameters. Read by people (docs/deploy.md)."
  value       = module.settings.parameter_path
}

output "docs_site" {
  description = "Where people open the site, and where its DNS record points. Read by people (docs/deploy.md)."
  value = {
    url    = module.docs_site.url
    target = try(coalesce(module.docs_site.load_balancer_dns_name, module.docs_site.distribution_domain_name), null)
  }
}

output "dashboard_url" {
  description = "Read by people."
  value       = module.observability.dashboard_url
}
