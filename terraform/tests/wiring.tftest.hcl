# How the parts that only a mocked provider makes hang together: serverless Redshift, MWAA, CloudFront.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  context = { name = "spacex-elt-test", environment = "test", region = "eu-central-1", account_id = "123456789012", partition = "aws" }
}

run "serverless_redshift" {
  module { source = "./modules/warehouse" }
  variables {
    subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
    security_group_id  = "sg-1"
    lake_arn           = "arn:aws:s3:::lake"
    log_retention_days = 90
    is_disposable      = false
    key_arns           = { warehouse = "arn:aws:kms:eu-central-1:123456789012:key/1", lake = "arn:aws:kms:eu-central-1:123456789012:key/2", secrets = "arn:aws:kms:eu-central-1:123456789012:key/3", logs = "arn:aws:kms:eu-central-1:123456789012:key/4" }
  }

  assert {
    condition     = aws_redshiftserverless_usage_limit.month[0].resource_arn == aws_redshiftserverless_workgroup.this[0].arn && aws_redshiftserverless_usage_limit.month[0].breach_action == "deactivate"
    error_message = "The month's limit must refuse queries of this workgroup."
  }

  assert {
    condition     = contains([for each in aws_redshiftserverless_workgroup.this[0].config_parameter : each.parameter_value if each.parameter_key == "require_ssl"], "true")
    error_message = "Connections without TLS must be refused."
  }

  assert {
    condition     = aws_redshiftserverless_workgroup.this[0].enhanced_vpc_routing && !aws_redshiftserverless_workgroup.this[0].publicly_accessible
    error_message = "COPY's traffic stays in the VPC, and nobody comes from outside it."
  }

  assert {
    condition     = contains(aws_redshiftserverless_namespace.this[0].iam_roles, output.copy_role_arn) && aws_redshiftserverless_namespace.this[0].manage_admin_password
    error_message = "COPY must be able to take on its role; the administrator's password is Redshift's own matter."
  }

  assert {
    condition     = toset(output.log_groups) == toset([for log in aws_redshiftserverless_namespace.this[0].log_exports : "/aws/redshift/spacex-elt-test/${log}"])
    error_message = "Each audit log needs its group, with a retention and our key."
  }
}

run "steps_log_in_by_their_secret" {
  module { source = "./modules/pipeline" }
  variables {
    settings = {
      environment           = "test", lake_bucket = "lake", docs_bucket = "docs", docs_url = "https://docs", copy_role_arn = "arn:aws:iam::123456789012:role/copy",
      alert_topic_arn       = "arn:aws:sns:eu-central-1:123456789012:alerts", metrics_namespace = "SpacexElt", airbyte_url = "http://airbyte:8000",
      airbyte_connection_id = "", airbyte_source_id = "", quarantine_retention_days = "90", lake_retention_days = "400"
    }
    sizes = {
      loader      = { cpu = 1024, memory = 4096 }
      transformer = { cpu = 512, memory = 2048 }
      publisher   = { cpu = 512, memory = 1024 }
      maintainer  = { cpu = 512, memory = 1024 }
    }
    bucket_arns    = { lake = "arn:aws:s3:::lake", docs = "arn:aws:s3:::docs" }
    repository_arn = "arn:aws:ecr:eu-central-1:123456789012:repository/spacex-elt-test"
    secrets = {
      names        = { "airbyte" = "a", "warehouse/loader" = "l", "warehouse/transformer" = "t", "warehouse/maintainer" = "m" }
      arn_patterns = { "airbyte" = "arn:a", "warehouse/loader" = "arn:l", "warehouse/transformer" = "arn:t", "warehouse/maintainer" = "arn:m" }
    }
    log_retention_days = 90
    key_arns           = { lake = "arn:aws:kms:eu-central-1:123456789012:key/1", docs = "arn:aws:kms:eu-central-1:123456789012:key/2", secrets = "arn:aws:kms:eu-central-1:123456789012:key/3", logs = "arn:aws:kms:eu-central-1:123456789012:key/4", alerts = "arn:aws:kms:eu-central-1:123456789012:key/5" }
  }

  assert {
    condition = { for family, document in data.aws_iam_policy_document.task : family => join(" ", sort(flatten([for each in document.statement : tolist(each.resources) if contains(each.actions, "secretsmanager:GetSecretValue")]))) } == {
      loader = "arn:a arn:l", transformer = "arn:t", maintainer = "arn:m", publisher = ""
    }
    error_message = "Who needs the warehouse reads its own login to it, and nobody else's."
  }

  assert {
    condition     = alltrue(flatten([for document in data.aws_iam_policy_document.task : [for each in document.statement : [for action in each.actions : !startswith(action, "redshift")]]]))
    error_message = "Steps log in by their secret: none may ask Redshift for credentials."
  }

  assert {
    condition     = length(aws_ecs_task_definition.this) == 0
    error_message = "Without an image there is no task definition."
  }
}

run "airflow_on_mwaa" {
  module { source = "./modules/orchestration" }
  variables {
    airflow_version   = "3.3.1"
    environment_class = "mw1.small"
    files             = { requirements_version = "v1", startup_version = "v2" }
    network           = { subnet_ids = ["subnet-1", "subnet-2"], security_group_id = "sg-1" }
    buckets           = { log_bucket = "logs", is_disposable = false }
    uses              = { lake_arn = "arn:aws:s3:::lake", alert_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alerts", secret_arn_pattern = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:spacex-elt-test/airflow/*" }
    key_arns          = { orchestration = "arn:aws:kms:eu-central-1:123456789012:key/1", lake = "arn:aws:kms:eu-central-1:123456789012:key/2", secrets = "arn:aws:kms:eu-central-1:123456789012:key/3", alerts = "arn:aws:kms:eu-central-1:123456789012:key/4" }
    pipeline = {
      cluster          = "spacex-elt-test"
      family_prefix    = "spacex-elt-test-"
      passed_role_arns = ["arn:aws:iam::123456789012:role/spacex-elt-test-loader"]
      log_group        = { name = "/spacex-elt-test/steps", arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/spacex-elt-test/steps" }
    }
  }

  assert {
    condition     = aws_mwaa_environment.this[0].execution_role_arn == aws_iam_role.this.arn && aws_mwaa_environment.this[0].source_bucket_arn == module.bucket.arn
    error_message = "The environment must have its own role and read its own bucket."
  }

  assert {
    condition     = aws_mwaa_environment.this[0].requirements_s3_object_version == "v1" && aws_mwaa_environment.this[0].startup_script_s3_object_version == "v2"
    error_message = "Each file by its own version: a release is both."
  }

  assert {
    condition     = aws_mwaa_environment.this[0].webserver_access_mode == "PRIVATE_ONLY"
    error_message = "The web server is private unless somebody says otherwise."
  }

  assert {
    condition     = endswith(var.uses.secret_arn_pattern, ":${trimsuffix(jsondecode(aws_mwaa_environment.this[0].airflow_configuration_options["secrets.backend_kwargs"]).connections_prefix, "connections")}*")
    error_message = "Airflow must look for its connections where its role may read them."
  }

  assert {
    condition     = alltrue([for each in data.aws_iam_policy_document.ours.statement : one(each.condition).values == tolist(["ecs-tasks.amazonaws.com"]) && toset(each.resources) == toset(var.pipeline.passed_role_arns) if contains(each.actions, "iam:PassRole")])
    error_message = "Only the steps' roles, and to ECS alone."
  }
}

run "the_public_docs_site" {
  module { source = "./modules/docs_site" }
  variables {
    access          = "public"
    domain          = "docs.example.com"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0123"
    key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/1"
    log_bucket      = "logs"
    is_disposable   = false
    network         = { vpc_id = "vpc-1", subnet_ids = ["subnet-1"], subnet_cidrs = ["10.0.0.0/20"], docs_security_group_id = "sg-1", endpoint_security_group_id = "sg-2" }
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this[0].origin).origin_access_control_id == aws_cloudfront_origin_access_control.this[0].id
    error_message = "CloudFront must sign what it asks the bucket."
  }

  assert {
    condition     = aws_cloudfront_distribution.this[0].default_cache_behavior[0].response_headers_policy_id == aws_cloudfront_response_headers_policy.this[0].id
    error_message = "The pages must come with the site's headers."
  }

  assert {
    condition     = [for each in data.aws_iam_policy_document.readers.statement : one(each.condition).values] == [tolist([aws_cloudfront_distribution.this[0].arn])]
    error_message = "This distribution alone reads the bucket."
  }

  assert {
    condition     = length(aws_lb.this) == 0 && length(aws_vpc_endpoint.s3) == 0
    error_message = "A public site needs no load balancer."
  }
}
