output "arns" {
  description = "Key ARN by purpose. Read by every module that stores something, and by the roles' policies."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}
