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

variable "retention_days" {
  description = "How long access logs are kept."
  type        = number

  validation {
    condition     = var.retention_days >= 30
    error_message = "retention_days is 30 or more: a question about an access comes late."
  }
}

variable "is_disposable" {
  description = "Whether `terraform destroy` may remove it with what is in it."
  type        = bool
}
