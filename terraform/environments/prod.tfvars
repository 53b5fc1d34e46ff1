# The deployment that people rely on: NAT and endpoints in each zone, room to grow, data that `destroy` leaves alone.
environment   = "prod"
region        = "eu-central-1"
owner         = "launch-data"
is_disposable = false

network = { cidr = "10.43.0.0/16", is_highly_available = true, zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }

retention_days = { lake = 400, quarantine = 90, logs = 365, access_logs = 365 }

warehouse = { mode = "serverless", serverless = { base_rpus = 8, max_rpus = 64, monthly_rpu_hours = 200 } }

airbyte = { instance_type = "m7i.xlarge", disk_gib = 100, abctl = { version = "v0.30.1" } }

airflow = { version = "3.3.1", environment_class = "mw1.small" }

step_sizes = {
  loader      = { cpu = 2048, memory = 8192 }
  transformer = { cpu = 1024, memory = 4096 }
  publisher   = { cpu = 1024, memory = 2048 }
  maintainer  = { cpu = 512, memory = 2048 }
}

alerts = { emails = ["data-team@example.com"], monthly_budget_usd = 1700 }
