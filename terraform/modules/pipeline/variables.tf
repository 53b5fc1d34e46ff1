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

variable "image" {
  description = "The image by its digest, <repository>@sha256:<64 hex digits>. Null: no task definitions yet."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is named by its digest, such as 111122223333.dkr.ecr.eu-central-1.amazonaws.com/spacex-elt-dev@sha256:…: a tag could come to mean another."
  }
}

variable "sizes" {
  description = "CPU units (1024 is one) and MiB of memory of each family's container, in a pair that Fargate has."
  type = object({
    loader      = object({ cpu = number, memory = number })
    transformer = object({ cpu = number, memory = number })
    publisher   = object({ cpu = number, memory = number })
    maintainer  = object({ cpu = number, memory = number })
  })

  validation {
    condition = alltrue([for size in values(var.sizes) : contains(lookup({
      512  = [1024, 2048, 3072, 4096]
      1024 = [for gib in range(2, 9) : gib * 1024]
      2048 = [for gib in range(4, 17) : gib * 1024]
      4096 = [for gib in range(8, 31) : gib * 1024]
    }, size.cpu, []), size.memory)])
    error_message = "sizes are pairs that Fargate has: cpu 512 with 1024 to 4096 MiB, 1024 with 2048 to 8192, 2048 with 4096 to 16384, 4096 with 8192 to 30720."
  }
}

variable "settings" {
  description = "What the task definition's template names, by the settings' names in small letters, without the secrets' names."
  type        = map(string)
}

variable "bucket_arns" {
  description = "The buckets: of the lake, of the docs."
  type        = object({ lake = string, docs = string })
}

variable "repository_arn" {
  description = "The repository that the image is pulled from."
  type        = string
}

variable "key_arns" {
  description = "Keys: of the lake, of the docs, of secrets, of logs, of alerts."
  type        = object({ lake = string, docs = string, secrets = string, logs = string, alerts = string })
}

variable "secrets" {
  description = "Names and ARN patterns of the secrets by purpose: airbyte, warehouse/<family>."
  type        = object({ names = map(string), arn_patterns = map(string) })
}

variable "log_retention_days" {
  description = "How long the steps' logs are kept."
  type        = number

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_retention_days)
    error_message = "log_retention_days is one of those that CloudWatch has: 7, 14, 30, 60, 90, 120, 150, 180, 365, 400."
  }
}

variable "collector_image" {
  description = "An image of AWS' OpenTelemetry collector by its digest, to run beside each step. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.collector_image == null || can(regex("@sha256:[0-9a-f]{64}$", var.collector_image))
    error_message = "collector_image is named by its digest, and lies where the containers can pull it: in this account's registry."
  }
}
