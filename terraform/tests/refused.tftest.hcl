# What is refused before anything is planned, one wrong input at a time.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "test"
  region      = "eu-central-1"
  owner       = "launch-data"
  network     = { cidr = "10.44.0.0/16", is_highly_available = false, zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  airbyte     = { abctl = { version = "v0.30.1" } }
  airflow     = { version = "3.3.1" }
  alerts      = { monthly_budget_usd = 100 }
  step_sizes = {
    loader      = { cpu = 1024, memory = 4096 }
    transformer = { cpu = 512, memory = 2048 }
    publisher   = { cpu = 512, memory = 1024 }
    maintainer  = { cpu = 512, memory = 1024 }
  }
}

run "an_environment_with_a_dash" {
  command = plan
  variables { environment = "prod-eu" }
  expect_failures = [var.environment]
}

run "an_image_by_its_tag" {
  command = plan
  variables { release = { image_digest = "latest" } }
  expect_failures = [var.release]
}

run "one_of_airflows_files_without_the_other" {
  command = plan
  variables { release = { startup_version = "v1" } }
  expect_failures = [var.release]
}

run "a_connection_that_is_no_id" {
  command = plan
  variables { release = { airbyte_connection_id = "SpaceX" } }
  expect_failures = [var.release]
}

run "zones_of_another_region" {
  command = plan
  variables { network = { cidr = "10.44.0.0/16", is_highly_available = false, zones = ["us-east-1a", "us-east-1b"] } }
  expect_failures = [var.network]
}
