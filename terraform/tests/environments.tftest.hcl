# The whole configuration under a mocked provider, as each environment has it and with everything switched on. Policies
# are not looked at here (a mocked provider renders none): tests/terraform does that with the real one.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  release = {
    image_digest          = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    requirements_version  = "v1"
    startup_version       = "v2"
    airbyte_connection_id = "3f2c8c1e-6d0b-4f6e-9a51-0c2f3f1f7c11"
    airbyte_source_id     = "4f2c8c1e-6d0b-4f6e-9a51-0c2f3f1f7c12"
  }

  environment   = "test"
  region        = "eu-central-1"
  owner         = "launch-data"
  is_disposable = false
  network       = { cidr = "10.44.0.0/16", is_highly_available = true, zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  airbyte       = { abctl = { version = "v0.30.1" } }
  airflow       = { version = "3.3.1" }
  alerts        = { monthly_budget_usd = 100 }
  step_sizes = {
    loader      = { cpu = 1024, memory = 4096 }
    transformer = { cpu = 512, memory = 2048 }
    publisher   = { cpu = 512, memory = 1024 }
    maintainer  = { cpu = 512, memory = 1024 }
  }
}

run "everything_is_made" {
  variables {
    alerts = {
      monthly_budget_usd = 100
      emails             = ["data-team@example.com"]
      slack              = { team_id = "T0123ABCD", channel_id = "C0123ABCD" }
    }
    pagerduty_url   = "https://events.pagerduty.com/integration/0123abc/enqueue"
    collector_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/collector@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = output.deployment.SPACEX_ELT_LOADER_TASK != "" && output.deployment.SPACEX_ELT_SUBNET_IDS != ""
    error_message = "The DAGs' deployment file lacks a value."
  }

  assert {
    condition     = output.airflow.url != null
    error_message = "With both files' versions there must be an MWAA environment."
  }
}

run "before_the_first_release_there_is_no_airflow_and_no_task" {
  variables {
    release = {}
  }

  assert {
    condition     = output.airflow.url == null && output.deployment.SPACEX_ELT_LOADER_TASK == ""
    error_message = "Nothing that needs an image or uploaded files may be made before they are there."
  }
}

run "a_provisioned_warehouse_instead" {
  variables {
    warehouse = { mode = "provisioned", provisioned = { node_count = 2 } }
    network   = { cidr = "10.44.0.0/16", is_highly_available = false, zones = ["eu-central-1a", "eu-central-1b"] }
  }

  assert {
    condition     = output.warehouse.address.port == 5439
    error_message = "The cluster's address is not handed on."
  }

  assert {
    condition     = alltrue([for group in output.warehouse.log_groups : startswith(group, "/aws/redshift/cluster/spacex-elt-test/")])
    error_message = "A cluster writes its audit log below /aws/redshift/cluster/."
  }
}

run "a_public_docs_site" {
  variables {
    docs_site = {
      access          = "public"
      domain          = "docs.example.com"
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0123"
    }
  }

  assert {
    condition     = output.docs_site.url == "https://docs.example.com" && endswith(output.docs_site.target, ".cloudfront.net")
    error_message = "The domain's record must point at the distribution."
  }
}

run "a_private_docs_site" {
  variables {
    docs_site = {
      domain          = "docs.internal.example.com"
      certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0123"
      reader_cidrs    = ["10.0.0.0/8"]
    }
  }

  assert {
    condition     = endswith(output.docs_site.target, ".elb.amazonaws.com")
    error_message = "The domain's record must point at the internal load balancer."
  }
}
