output "vpc_id" {
  description = "Read by the private docs site's target group and endpoint."
  value       = aws_vpc.this.id
}

output "public_subnet_id" {
  description = "Where Airbyte's instance stands. Read by the extraction module."
  value       = aws_subnet.public[var.availability_zones[0]].id
}

output "orchestration_subnet_ids" {
  description = "Two subnets in two zones. Read by the orchestration module."
  value       = [for zone in slice(var.availability_zones, 0, 2) : aws_subnet.orchestration[zone].id]
}

output "isolated_subnet_ids" {
  description = "Read by the warehouse and docs modules, and by the DAGs' deployment file: steps run here."
  value       = [for zone in var.availability_zones : aws_subnet.isolated[zone].id]
}

output "isolated_subnet_cidrs" {
  description = "In the order of the subnets. Read by the private docs site, whose endpoint has fixed addresses."
  value       = [for zone in var.availability_zones : local.cidrs.isolated[zone]]
}

output "security_group_ids" {
  description = "By part. Read by the module that owns the part, and by the DAGs' deployment file."
  value       = { for part, group in aws_security_group.this : part => group.id }
}
