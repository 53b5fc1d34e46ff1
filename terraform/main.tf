# Wires the modules. What each owns is said on its first line; what differs between environments is in environments/.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  name = "spacex-elt-${var.environment}"

  context = {
    name        = local.name
    environment = var.environment
    region      = var.region
    account_id  = data.aws_caller_identity.this.account_id
    partition   = data.aws_partition.this.partition
  }

  # Made of the name: the lake's policy names the role, the role's policy the lake.
  maintainer_role_arn = "arn:${local.context.partition}:iam::${local.context.account_id}:role/${local.name}-maintainer"

  metrics_namespace = "SpacexElt"

  # By the settings' names (spacex_elt/settings.py) in small letters; the secrets' names differ by family.
  settings = {
    environment           = var.environment
    lake_bucket           = module.lake.bucket
    docs_bucket           = module.docs_site.bucket
    docs_url              = module.docs_site.url
    copy_role_arn         = module.warehouse.copy_role_arn
    alert_topic_arn       = module.alerts.topic_arn
    metrics_namespace     = local.metrics_namespace
    airbyte_url           = module.extraction.url
    airbyte_connection_id = var.release.airbyte_connection_id
    airbyte_source_id     = var.release.airbyte_source_id

    quarantine_retention_days = tostring(var.retention_days.quarantine)
    lake_retention_days       = tostring(var.retention_days.lake)
  }
}

module "keys" {
  source = "./modules/keys"

  context = local.context
}

module "network" {
  source = "./modules/network"

  context             = local.context
  cidr                = var.network.cidr
  availability_zones  = var.network.zones
  is_highly_available = var.network.is_highly_available
  logs_key_arn        = module.keys.arns.logs
  log_retention_days  = var.retention_days.logs
  docs_reader_cidrs   = var.docs_site.reader_cidrs
}

module "access_logs" {
  source = "./modules/access_logs"

  context        = local.context
  retention_days = var.retention_days.access_logs
  is_disposable  = var.is_disposable
}

module "lake" {
  source = "./modules/lake"

  context                   = local.context
  key_arn                   = module.keys.arns.lake
  log_bucket                = module.access_logs.bucket
  deleter_role_arn          = local.maintainer_role_arn
  quarantine_retention_days = var.retention_days.quarantine
  lake_retention_days       = var.retention_days.lake
  is_disposable             = var.is_disposable
}

module "docs_site" {
  source = "./modules/docs_site"

  context         = local.context
  access          = var.docs_site.access
  domain          = var.docs_site.domain
  certificate_arn = var.docs_site.certificate_arn
  key_arn         = module.keys.arns.docs
  log_bucket      = module.access_logs.bucket
  is_disposable   = var.is_disposable

  network = {
    vpc_id                     = module.network.vpc_id
    subnet_ids                 = module.network.isolated_subnet_ids
    subnet_cidrs               = module.network.isolated_subnet_cidrs
    docs_security_group_id     = module.network.security_group_ids["docs"]
    endpoint_security_group_id = module.network.security_group_ids["endpoints"]
  }
}

module "registry" {
  source = "./modules/registry"

  context = local.context
  key_arn = module.keys.arns.lake
}

module "warehouse" {
  source = "./modules/warehouse"

  context                 = local.context
  mode                    = var.warehouse.mode
  serverless              = var.warehouse.serverless
  provisioned             = var.warehouse.provisioned
  snapshot_retention_days = var.warehouse.snapshot_retention_days
  subnet_ids              = module.network.isolated_subnet_ids
  security_group_id       = module.network.security_group_ids["warehouse"]
  lake_arn                = module.lake.arn
  log_retention_days      = var.retention_days.logs
  is_disposable           = var.is_disposable

  key_arns = {
    warehouse = module.keys.arns.warehouse
    lake      = module.keys.arns.lake
    secrets   = module.keys.arns.secrets
    logs      = module.keys.arns.logs
  }
}

module "extraction" {
  source = "./modules/extraction"

  context           = local.context
  subnet_id         = module.network.public_subnet_id
  security_group_id = module.network.security_group_ids["airbyte"]
  instance_type     = var.airbyte.instance_type
  disk_gib          = var.airbyte.disk_gib
  abctl             = var.airbyte.abctl
  lake_arn          = module.lake.arn
  alert_topic_arn   = module.alerts.topic_arn
  key_arns          = { disk = module.keys.arns.extraction, lake = module.keys.arns.lake }
}

module "alerts" {
  source = "./modules/alerts"

  context            = local.context
  key_arn            = module.keys.arns.alerts
  emails             = var.alerts.emails
  slack              = var.alerts.slack
  pagerduty_url      = var.pagerduty_url
  monthly_budget_usd = var.alerts.monthly_budget_usd
}

module "settings" {
  source = "./modules/settings"

  context       = local.context
  key_arn       = module.keys.arns.secrets
  is_disposable = var.is_disposable
  values = merge(
    { for name, value in local.settings : "SPACEX_ELT_${upper(name)}" => value if !contains(local.unset, name) },
    { for setting, purpose in local.secret_settings : "SPACEX_ELT_${upper(setting)}" => "${local.name}/${purpose}" },
  )
}

locals {
  # A parameter cannot be empty: what Airbyte has not made yet has none.
  unset = [for name in ["airbyte_connection_id", "airbyte_source_id"] : name if var.release[name] == ""]

  # What people outside the containers use: the loader's login.
  secret_settings = { warehouse_secret_id = "warehouse/loader", airbyte_secret_id = "airbyte" }
}

module "pipeline" {
  source = "./modules/pipeline"

  context            = local.context
  image              = var.release.image_digest == null ? null : "${module.registry.repository_url}@${var.release.image_digest}"
  sizes              = var.step_sizes
  settings           = local.settings
  bucket_arns        = { lake = module.lake.arn, docs = module.docs_site.arn }
  repository_arn     = module.registry.repository_arn
  secrets            = module.settings.secrets
  log_retention_days = var.retention_days.logs
  collector_image    = var.collector_image

  key_arns = {
    lake    = module.keys.arns.lake
    docs    = module.keys.arns.docs
    secrets = module.keys.arns.secrets
    logs    = module.keys.arns.logs
    alerts  = module.keys.arns.alerts
  }
}

module "orchestration" {
  source = "./modules/orchestration"

  context               = local.context
  airflow_version       = var.airflow.version
  environment_class     = var.airflow.environment_class
  webserver_access_mode = var.airflow.webserver_access_mode
  buckets               = { log_bucket = module.access_logs.bucket, is_disposable = var.is_disposable }

  uses = {
    lake_arn           = module.lake.arn
    alert_topic_arn    = module.alerts.topic_arn
    secret_arn_pattern = module.settings.airflow_secret_arn_pattern
  }

  files = (
    var.release.startup_version == null
    ? null
    : { requirements_version = var.release.requirements_version, startup_version = var.release.startup_version }
  )

  network = {
    subnet_ids        = module.network.orchestration_subnet_ids
    security_group_id = module.network.security_group_ids["orchestration"]
  }

  key_arns = {
    orchestration = module.keys.arns.orchestration
    lake          = module.keys.arns.lake
    secrets       = module.keys.arns.secrets
    alerts        = module.keys.arns.alerts
  }

  pipeline = {
    cluster          = module.pipeline.cluster
    family_prefix    = module.pipeline.family_prefix
    passed_role_arns = module.pipeline.passed_role_arns
    log_group        = module.pipeline.log_group
  }
}

module "observability" {
  source = "./modules/observability"

  context                = local.context
  catalogue_file         = "${path.module}/metrics.json"
  metrics_namespace      = local.metrics_namespace
  alert_topic_arn        = module.alerts.topic_arn
  dead_letter_queue_name = module.alerts.dead_letter_queue_name
  cluster                = module.pipeline.cluster
  warehouse              = module.warehouse.identity
  has_airflow            = var.release.startup_version != null
}
