output "topic_arn" {
  description = "Made of the name. Read by the settings (SPACEX_ELT_ALERT_TOPIC_ARN), alarms and the roles' policies."
  value       = local.topic_arn

  depends_on = [aws_sns_topic_policy.this]
}

output "dead_letter_queue_name" {
  description = "Read by the alarm on its depth."
  value       = aws_sqs_queue.dead_letters.name
}
