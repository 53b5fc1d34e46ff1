# Owns Airflow: the MWAA environment, its bucket and its role. What it runs is dags/'s.

locals {
  name = var.context.name
}

module "bucket" {
  source = "../bucket"

  context       = var.context
  purpose       = "airflow"
  key_arn       = var.key_arns.orchestration
  log_bucket    = var.buckets.log_bucket
  lifecycles    = { former-releases = { prefix = "", noncurrent_days = 365 } } # a rollback names a former version
  is_disposable = var.buckets.is_disposable
}

resource "aws_mwaa_environment" "this" {
  #checkov:skip=CKV_AWS_66:The web server is private by default; the variable's validation says what it may be.
  count = var.files == null ? 0 : 1

  name                  = local.name
  airflow_version       = var.airflow_version
  environment_class     = var.environment_class
  min_workers           = 1
  max_workers           = var.environment_class == "mw1.micro" ? 1 : 2 # steps run on ECS: a worker only waits
  execution_role_arn    = aws_iam_role.this.arn
  kms_key               = var.key_arns.orchestration
  source_bucket_arn     = module.bucket.arn
  webserver_access_mode = var.webserver_access_mode

  dag_s3_path                      = "dags/"
  requirements_s3_path             = "requirements.txt"
  requirements_s3_object_version   = var.files.requirements_version
  startup_script_s3_path           = "startup.sh"
  startup_script_s3_object_version = var.files.startup_version

  weekly_maintenance_window_start = "SUN:13:00" # after the weekly clean-up

  airflow_configuration_options = {
    "core.default_task_retry_delay" = "300"
    "secrets.backend"               = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    "secrets.backend_kwargs" = jsonencode({
      connections_prefix         = "${local.name}/airflow/connections"
      connections_lookup_pattern = "^(?!aws_default).*$"
      variables_prefix           = "${local.name}/airflow/variables"
    })
  }

  network_configuration {
    security_group_ids = [var.network.security_group_id]
    subnet_ids         = var.network.subnet_ids
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = "INFO"
    }

    scheduler_logs {
      enabled   = true
      log_level = "INFO"
    }

    task_logs {
      enabled   = true
      log_level = "INFO"
    }

    webserver_logs {
      enabled   = true
      log_level = "INFO"
    }

    worker_logs {
      enabled   = true
      log_level = "INFO"
    }
  }

  # MWAA looks into the role when it makes the environment.
  depends_on = [aws_iam_role_policy.this]
}
