# Everything switched on that moto can hold, for tests/terraform.
environment   = "test"
region        = "eu-central-1"
owner         = "launch-data"
is_disposable = true

network = { cidr = "10.44.0.0/16", is_highly_available = true, zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }

warehouse = { mode = "provisioned", provisioned = { node_count = 2 } }

airbyte = { abctl = { version = "v0.30.1" } }

airflow = { version = "3.3.1" }

step_sizes = {
  loader      = { cpu = 1024, memory = 4096 }
  transformer = { cpu = 512, memory = 2048 }
  publisher   = { cpu = 512, memory = 1024 }
  maintainer  = { cpu = 512, memory = 1024 }
}

collector_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/collector@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

alerts = {
  monthly_budget_usd = 100
  emails             = ["data-team@example.com"]
  slack              = { team_id = "T0123ABCD", channel_id = "C0123ABCD" }
}

pagerduty_url = "https://events.pagerduty.com/integration/0123abc/enqueue"

release = {
  image_digest          = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  requirements_version  = "v1"
  startup_version       = "v2"
  airbyte_connection_id = "3f2c8c1e-6d0b-4f6e-9a51-0c2f3f1f7c11"
  airbyte_source_id     = "4f2c8c1e-6d0b-4f6e-9a51-0c2f3f1f7c12"
}
