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
  description = "The key of secrets and parameters."
  type        = string
}

variable "values" {
  description = "The pipeline's settings by their names in the environment (spacex_elt/settings.py); none is a secret."
  type        = map(string)

  validation {
    condition     = alltrue([for name in keys(var.values) : can(regex("^SPACEX_ELT_[A-Z0-9_]+$", name))])
    error_message = "values are by name, such as SPACEX_ELT_LAKE_BUCKET."
  }
}

variable "is_disposable" {
  description = "Whether a destroyed secret is gone at once, or can be brought back for a month."
  type        = bool
}
