output "repository_url" {
  description = "Read by the pipeline module and by whoever pushes an image (docs/deploy.md)."
  value       = aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "Made of the name. Read by the execution role's policy."
  value       = "arn:${var.context.partition}:ecr:${var.context.region}:${var.context.account_id}:repository/${var.context.name}"
}
