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

variable "purpose" {
  description = "What the bucket is for: its name is <context.name>-<purpose>-<account>."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3,12}$", var.purpose))
    error_message = "purpose is 3 to 12 small letters, such as lake."
  }
}

variable "bucket_name" {
  description = "A name to use instead, where something outside fixes it. Null: made of the purpose."
  type        = string
  default     = null
}

variable "key_arn" {
  description = "The key that objects are encrypted with. Null: S3's own (SSE-S3), where a reader cannot use a key."
  type        = string
  default     = null
}

variable "log_bucket" {
  description = "The bucket that takes access logs."
  type        = string
}

variable "statements_json" {
  description = "A policy document whose statements come beside the bucket's own (TLS only). Null: none."
  type        = string
  default     = null
}

variable "lifecycles" {
  description = "By name of the rule: the prefix (empty: all), days until objects expire (null: never) or move to infrequent access (null: never), and until a version that was replaced or deleted is gone."
  type = map(object({
    prefix          = string
    expire_days     = optional(number)
    infrequent_days = optional(number)
    noncurrent_days = number
  }))

  validation {
    condition     = alltrue([for rule in values(var.lifecycles) : rule.noncurrent_days >= 1 && coalesce(rule.infrequent_days, 30) >= 30])
    error_message = "lifecycles: noncurrent_days is at least 1; infrequent_days at least 30, S3's own limit."
  }
}

variable "is_disposable" {
  description = "Whether `terraform destroy` may remove it with what is in it."
  type        = bool
  default     = false
}
