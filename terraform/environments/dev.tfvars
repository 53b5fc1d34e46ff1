# A deployment to try things in: one zone's NAT and endpoints, small machines, gone without a trace when destroyed.
environment   = "dev"
region        = "eu-central-1"
owner         = "launch-data"
is_disposable = true

network = { cidr = "10.42.0.0/16", is_highly_available = false, zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }

retention_days = { lake = 60, quarantine = 30, logs = 14, access_logs = 30 }

warehouse = { mode = "serverless", serverless = { base_rpus = 8, max_rpus = 16, monthly_rpu_hours = 60 } }

airbyte = { instance_type = "m7i-flex.large", abctl = { version = "v0.30.1" } }

airflow = { version = "3.3.1", environment_class = "mw1.micro" }

step_sizes = {
  loader      = { cpu = 1024, memory = 4096 }
  transformer = { cpu = 512, memory = 2048 }
  publisher   = { cpu = 512, memory = 1024 }
  maintainer  = { cpu = 512, memory = 1024 }
}

alerts = { monthly_budget_usd = 700 }
