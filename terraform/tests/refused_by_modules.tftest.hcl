# What the modules refuse, each planned alone.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  context = { name = "spacex-elt-test", environment = "test", region = "eu-central-1", account_id = "123456789012", partition = "aws" }
}

run "a_warehouse_of_neither_kind" {
  command = plan
  module { source = "./modules/warehouse" }
  variables {
    mode               = "dc2"
    subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
    security_group_id  = "sg-1"
    lake_arn           = "arn:aws:s3:::lake"
    log_retention_days = 90
    is_disposable      = false
    key_arns           = { warehouse = "arn:aws:kms:eu-central-1:123456789012:key/1", lake = "arn:aws:kms:eu-central-1:123456789012:key/1", secrets = "arn:aws:kms:eu-central-1:123456789012:key/1", logs = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }
  expect_failures = [var.mode]
}

run "a_serverless_warehouse_in_two_zones" {
  command = plan
  module { source = "./modules/warehouse" }
  variables {
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_id  = "sg-1"
    lake_arn           = "arn:aws:s3:::lake"
    log_retention_days = 90
    is_disposable      = false
    key_arns           = { warehouse = "arn:aws:kms:eu-central-1:123456789012:key/1", lake = "arn:aws:kms:eu-central-1:123456789012:key/1", secrets = "arn:aws:kms:eu-central-1:123456789012:key/1", logs = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }
  expect_failures = [var.subnet_ids]
}

run "more_base_than_most" {
  command = plan
  module { source = "./modules/warehouse" }
  variables {
    serverless         = { base_rpus = 64, max_rpus = 32 }
    subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
    security_group_id  = "sg-1"
    lake_arn           = "arn:aws:s3:::lake"
    log_retention_days = 90
    is_disposable      = false
    key_arns           = { warehouse = "arn:aws:kms:eu-central-1:123456789012:key/1", lake = "arn:aws:kms:eu-central-1:123456789012:key/1", secrets = "arn:aws:kms:eu-central-1:123456789012:key/1", logs = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }
  expect_failures = [var.serverless]
}

run "a_node_type_with_its_own_disk" {
  command = plan
  module { source = "./modules/warehouse" }
  variables {
    mode               = "provisioned"
    provisioned        = { node_type = "dc2.large" }
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_id  = "sg-1"
    lake_arn           = "arn:aws:s3:::lake"
    log_retention_days = 90
    is_disposable      = false
    key_arns           = { warehouse = "arn:aws:kms:eu-central-1:123456789012:key/1", lake = "arn:aws:kms:eu-central-1:123456789012:key/1", secrets = "arn:aws:kms:eu-central-1:123456789012:key/1", logs = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }
  expect_failures = [var.provisioned]
}

run "a_docs_site_open_by_cidr" {
  command = plan
  module { source = "./modules/network" }
  variables {
    cidr                = "10.44.0.0/16"
    availability_zones  = ["eu-central-1a", "eu-central-1b"]
    is_highly_available = false
    logs_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1"
    log_retention_days  = 90
    docs_reader_cidrs   = ["0.0.0.0/0"]
  }
  expect_failures = [var.docs_reader_cidrs]
}

run "a_network_of_another_size" {
  command = plan
  module { source = "./modules/network" }
  variables {
    cidr                = "10.44.0.0/20"
    availability_zones  = ["eu-central-1a", "eu-central-1b"]
    is_highly_available = false
    logs_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1"
    log_retention_days  = 90
    docs_reader_cidrs   = []
  }
  expect_failures = [var.cidr]
}

run "a_public_docs_site_without_a_domain" {
  command = plan
  module { source = "./modules/docs_site" }
  variables {
    access        = "public"
    key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/1"
    log_bucket    = "logs"
    is_disposable = false
    network       = { vpc_id = "vpc-1", subnet_ids = ["subnet-1"], subnet_cidrs = ["10.0.0.0/20"], docs_security_group_id = "sg-1", endpoint_security_group_id = "sg-2" }
  }
  expect_failures = [var.domain]
}

run "an_airbyte_too_small" {
  command = plan
  module { source = "./modules/extraction" }
  variables {
    subnet_id         = "subnet-1"
    security_group_id = "sg-1"
    instance_type     = "t3.small"
    abctl             = { version = "v0.30.1" }
    key_arns          = { disk = "arn:aws:kms:eu-central-1:123456789012:key/1", lake = "arn:aws:kms:eu-central-1:123456789012:key/1" }
    lake_arn          = "arn:aws:s3:::lake"
    alert_topic_arn   = "arn:aws:sns:eu-central-1:123456789012:alerts"
  }
  expect_failures = [var.instance_type]
}

run "an_alert_address_that_is_none" {
  command = plan
  module { source = "./modules/alerts" }
  variables {
    key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/1"
    emails             = ["data team"]
    pagerduty_url      = "http://events.example.com"
    monthly_budget_usd = 0
  }
  expect_failures = [var.emails, var.pagerduty_url, var.monthly_budget_usd]
}
