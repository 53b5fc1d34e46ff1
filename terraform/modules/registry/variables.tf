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
  description = "The key that images are encrypted with."
  type        = string
}

variable "images_kept" {
  description = "How many images stay: as many releases as can be rolled back to."
  type        = number
  default     = 20

  validation {
    condition     = var.images_kept >= 5
    error_message = "images_kept is 5 or more: a rollback needs the former images."
  }
}
