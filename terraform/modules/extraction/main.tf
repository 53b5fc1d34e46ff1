# Owns Airbyte's server: one instance, no way in but from our own parts and by SSM. What it syncs is extraction/'s.

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_instance" "this" {
  #checkov:skip=CKV_AWS_88:It fetches from the internet and nothing reaches it from there: no rule lets anybody in (tests/terraform).
  ami                                  = data.aws_ssm_parameter.image.insecure_value
  instance_type                        = var.instance_type
  subnet_id                            = var.subnet_id
  vpc_security_group_ids               = [var.security_group_id]
  associate_public_ip_address          = true
  iam_instance_profile                 = aws_iam_instance_profile.this.name
  monitoring                           = true
  ebs_optimized                        = true
  instance_initiated_shutdown_behavior = "stop"
  user_data_replace_on_change          = false # a new abctl upgrades in place: terraform/README.md

  user_data = templatefile("${path.module}/user_data.sh.tftpl", {
    version = var.abctl.version
    sha256  = coalesce(var.abctl.sha256, " ") == " " ? "" : var.abctl.sha256
  })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required" # IMDSv2
    http_put_response_hop_limit = 3          # from a pod in kind's node, a container of its own
    instance_metadata_tags      = "disabled"
  }

  maintenance_options {
    auto_recovery = "default"
  }

  root_block_device {
    volume_type           = "gp3"
    volume_size           = var.disk_gib
    encrypted             = true
    kms_key_id            = var.key_arns.disk
    delete_on_termination = true
  }

  tags = { Name = "${var.context.name}-airbyte" }

  lifecycle {
    ignore_changes = [ami] # AWS names a new one every other week; patches come by dnf
  }
}

# A failed host: AWS starts the instance elsewhere, with its disk and addresses.
resource "aws_cloudwatch_metric_alarm" "host" {
  alarm_name          = "${var.context.name}-airbyte-host"
  alarm_description   = "Airbyte's host failed; AWS moves the instance. Syncs fail meanwhile and are tried again."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = ["arn:${var.context.partition}:automate:${var.context.region}:ec2:recover", var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}

# A failed system on a good host: restarted.
resource "aws_cloudwatch_metric_alarm" "system" {
  alarm_name          = "${var.context.name}-airbyte-system"
  alarm_description   = "Airbyte's instance does not answer; it is restarted. Look into it by a session: docs/deploy.md, Airbyte."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_Instance"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = ["arn:${var.context.partition}:automate:${var.context.region}:ec2:reboot", var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}
