output "instance_id" {
  description = "Read by people who open a session, and by the alarms (docs/deploy.md)."
  value       = aws_instance.this.id
}

output "url" {
  description = "The server inside the VPC. Read by the settings (SPACEX_ELT_AIRBYTE_URL) and MWAA's connection."
  value       = "http://${aws_instance.this.private_dns}:8000"
}
