variable "context" {
  description = "Which deployment this is part of: what names and ARNs are made of."
  type = object({
    name        = string # spacex-elt-<environment>
    environment = string
    region      = string
    account_id  = string
    partition   = string
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,23}$", var.context.name)) && can(regex("^[0-9]{12}$", var.context.account_id))
    error_message = "context.name is 3 to 24 of a-z, 0-9 and -, such as spacex-elt-dev; context.account_id has 12 digits."
  }
}

variable "catalogue_file" {
  description = "What the pipeline measures and what the contracts promise: metrics.json, derived from both by `make lock`."
  type        = string
}

variable "metrics_namespace" {
  description = "Where the pipeline's metrics are in CloudWatch: the setting SPACEX_ELT_METRICS_NAMESPACE."
  type        = string
}

variable "alert_topic_arn" {
  description = "Where alarms go."
  type        = string
}

variable "dead_letter_queue_name" {
  description = "Alerts that nobody could be given."
  type        = string
}

variable "cluster" {
  description = "The steps' cluster."
  type        = string
}

variable "warehouse" {
  description = "Which Redshift it is."
  type        = object({ mode = string, name = string })
}

variable "has_airflow" {
  description = "Whether there is an MWAA environment to watch."
  type        = bool
}

variable "thresholds" {
  description = "Hours without a finished run, percent of the cluster's disk, and RPU-hours a day, above which people are told."
  type = object({
    run_missing_hours = optional(number, 30)
    disk_percent      = optional(number, 80)
    daily_rpu_hours   = optional(number, 24)
  })
  default = {}

  validation {
    condition     = var.thresholds.run_missing_hours >= 2 && var.thresholds.run_missing_hours <= 168 && var.thresholds.disk_percent > 0 && var.thresholds.disk_percent < 100
    error_message = "thresholds.run_missing_hours is 2 to 168, CloudWatch's longest look back; disk_percent is between 0 and 100."
  }
}
