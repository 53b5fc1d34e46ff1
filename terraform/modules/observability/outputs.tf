output "dashboard_url" {
  description = "Read by people."
  value       = "https://${var.context.region}.console.aws.amazon.com/cloudwatch/home?region=${var.context.region}#dashboards:name=${var.context.name}"
}
