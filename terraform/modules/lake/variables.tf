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

variable "key_arn" {
  description = "The key of the lake's objects."
  type        = string
}

variable "log_bucket" {
  description = "The bucket that takes access logs."
  type        = string
}

variable "deleter_role_arn" {
  description = "The one role that may delete landed objects: the maintenance step's."
  type        = string
}

variable "quarantine_retention_days" {
  description = "How long rejected records are kept; the maintenance step deletes by it, the lifecycle a month later."
  type        = number

  validation {
    condition     = var.quarantine_retention_days >= 1 && floor(var.quarantine_retention_days) == var.quarantine_retention_days
    error_message = "quarantine_retention_days is a whole number of days, 1 or more, such as 90."
  }
}

variable "lake_retention_days" {
  description = "How long other objects of a batch or run are kept. The maintenance step deletes by it, and leaves what is in use."
  type        = number

  validation {
    condition     = var.lake_retention_days >= 30 && floor(var.lake_retention_days) == var.lake_retention_days
    error_message = "lake_retention_days is a whole number of days, 30 or more, such as 400."
  }
}

variable "is_disposable" {
  description = "Whether `terraform destroy` may remove it with what is in it."
  type        = bool
}
