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

variable "subnet_id" {
  description = "A public subnet: the server fetches from the SpaceX API and its images from the internet."
  type        = string
}

variable "security_group_id" {
  description = "Airbyte's group: in from MWAA and the steps, out over HTTPS."
  type        = string
}

variable "instance_type" {
  description = "Two virtual CPUs and 8 GiB at least: Airbyte's own minimum. x86."
  type        = string
  default     = "m7i-flex.large"

  validation {
    condition     = can(regex("^(t3|t3a|m6i|m6a|m7i|m7a|m7i-flex)\\.(large|xlarge|2xlarge)$", var.instance_type))
    error_message = "instance_type is an x86 one with 8 GiB or more, such as t3.large, m7i-flex.large or m7i.xlarge."
  }
}

variable "disk_gib" {
  description = "The disk: images, Airbyte's database and its logs."
  type        = number
  default     = 60

  validation {
    condition     = var.disk_gib >= 40 && var.disk_gib <= 500
    error_message = "disk_gib is 40 to 500: Airbyte's images alone take some 20."
  }
}

variable "abctl" {
  description = "Which abctl installs Airbyte: a release's version, and the SHA-256 of its linux-amd64 archive (null: not compared)."
  type = object({
    version = string
    sha256  = optional(string)
  })

  validation {
    condition     = can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+$", var.abctl.version)) && can(regex("^[0-9a-f]{64}$", coalesce(var.abctl.sha256, join("", [for _ in range(64) : "0"]))))
    error_message = "abctl.version is a release such as v0.30.1; abctl.sha256 is 64 hex digits."
  }
}

variable "key_arns" {
  description = "Keys: of the disk, of the lake."
  type        = object({ disk = string, lake = string })
}

variable "lake_arn" {
  description = "The lake's bucket, of which it writes landing/."
  type        = string
}

variable "alert_topic_arn" {
  description = "Told when the machine fails."
  type        = string
}
