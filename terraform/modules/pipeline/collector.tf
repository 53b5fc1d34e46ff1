# Owns the collector that may run beside each step: it takes the step's spans and sends them to X-Ray.

locals {
  has_collector = var.collector_image != null

  collector_environment = local.has_collector ? [
    { name = "OTEL_EXPORTER_OTLP_ENDPOINT", value = "http://127.0.0.1:4318" },
  ] : []

  collector_configuration = yamlencode({
    extensions = { health_check = {} }
    receivers  = { otlp = { protocols = { http = { endpoint = "127.0.0.1:4318" } } } }
    processors = { batch = { timeout = "2s" } }
    exporters  = { awsxray = { region = var.context.region, indexed_attributes = ["otel.resource.spacex_elt.run_id"] } }
    service = {
      extensions = ["health_check"]
      pipelines  = { traces = { receivers = ["otlp"], processors = ["batch"], exporters = ["awsxray"] } }
    }
  })

  collector_containers = local.has_collector ? [{
    name                   = "collector"
    image                  = var.collector_image
    essential              = false # a step goes on without it
    readonlyRootFilesystem = true
    memory                 = 256
    environment            = [{ name = "AOT_CONFIG_CONTENT", value = local.collector_configuration }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = local.log_group
        "awslogs-region"        = var.context.region
        "awslogs-stream-prefix" = "collector"
      }
    }
  }] : []
}
