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

variable "mode" {
  description = "serverless (paid by the second of use) or provisioned (an RA3 cluster, paid by the hour)."
  type        = string
  default     = "serverless"

  validation {
    condition     = contains(["serverless", "provisioned"], var.mode)
    error_message = "mode is serverless or provisioned."
  }
}

variable "subnet_ids" {
  description = "Isolated subnets; serverless wants them in three zones."
  type        = list(string)

  validation {
    condition     = var.mode == "provisioned" || length(var.subnet_ids) >= 3
    error_message = "mode = serverless wants subnets in three availability zones: give the network three."
  }
}

variable "security_group_id" {
  description = "The group that lets the steps in and nobody else."
  type        = string
}

variable "key_arns" {
  description = "Keys: of the warehouse's storage, of the lake (COPY reads it), of secrets (the admin's password), of logs."
  type        = object({ warehouse = string, lake = string, secrets = string, logs = string })
}

variable "lake_arn" {
  description = "The lake's bucket, which COPY reads."
  type        = string
}

variable "serverless" {
  description = "RPUs: the least, the most, and how many RPU-hours a month until queries are refused."
  type = object({
    base_rpus         = optional(number, 8)
    max_rpus          = optional(number, 32)
    monthly_rpu_hours = optional(number, 200)
  })
  default = {}

  validation {
    condition     = contains([4, 8, 16, 24, 32, 40, 48, 56, 64, 128], var.serverless.base_rpus)
    error_message = "serverless.base_rpus is 4, or 8 to 64 in steps of 8, or 128."
  }

  validation {
    condition     = var.serverless.max_rpus >= var.serverless.base_rpus && var.serverless.max_rpus % 8 == 0
    error_message = "serverless.max_rpus is a multiple of 8 and not less than base_rpus."
  }

  validation {
    condition     = var.serverless.monthly_rpu_hours >= 1
    error_message = "serverless.monthly_rpu_hours is 1 or more: what a month may cost, divided by the price of an RPU-hour."
  }
}

variable "provisioned" {
  description = "The cluster's node type (RA3 only: storage apart from compute) and how many nodes."
  type = object({
    node_type  = optional(string, "ra3.large")
    node_count = optional(number, 1)
  })
  default = {}

  validation {
    condition     = contains(["ra3.large", "ra3.xlplus", "ra3.4xlarge", "ra3.16xlarge"], var.provisioned.node_type)
    error_message = "provisioned.node_type is ra3.large, ra3.xlplus, ra3.4xlarge or ra3.16xlarge."
  }

  validation {
    condition     = var.provisioned.node_count >= 1 && var.provisioned.node_count <= 32
    error_message = "provisioned.node_count is 1 to 32."
  }
}

variable "snapshot_retention_days" {
  description = "How long the provisioned cluster's automatic snapshots are kept (serverless keeps recovery points for a day)."
  type        = number
  default     = 7

  validation {
    condition     = var.snapshot_retention_days >= 1 && var.snapshot_retention_days <= 35
    error_message = "snapshot_retention_days is 1 to 35."
  }
}

variable "log_retention_days" {
  description = "How long audit logs are kept."
  type        = number
}

variable "is_disposable" {
  description = "Whether `terraform destroy` leaves no final snapshot."
  type        = bool
}
