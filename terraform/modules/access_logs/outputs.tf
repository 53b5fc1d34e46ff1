output "bucket" {
  description = "Read by the bucket and docs modules. Known only once it takes logs."
  value       = aws_s3_bucket_policy.this.bucket
}
