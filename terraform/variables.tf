variable "environment" {
  description = "Names the deployment: in every resource's name, in telemetry and in incidents."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment is 2 to 12 small letters and digits, such as dev or prod."
  }
}

variable "region" {
  description = "Where all of it stands."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is a name such as eu-central-1."
  }
}

variable "owner" {
  description = "Who answers for it: a tag on everything."
  type        = string
}

variable "is_disposable" {
  description = "Whether `terraform destroy` may remove data: buckets with what is in them, secrets at once, Redshift without a last snapshot."
  type        = bool
  default     = false
}

variable "network" {
  description = "The VPC's /16, the zones by name (Redshift Serverless wants three), and whether NAT and endpoints stand in each."
  type = object({
    cidr                = string
    zones               = list(string)
    is_highly_available = bool
  })

  validation {
    condition     = alltrue([for zone in var.network.zones : startswith(zone, var.region)])
    error_message = "network.zones are zones of the region, such as eu-central-1a in eu-central-1."
  }
}

variable "retention_days" {
  description = "How long things are kept: lake and quarantine (the pipeline's own settings), logs, access logs."
  type = object({
    lake        = optional(number, 400)
    quarantine  = optional(number, 90)
    logs        = optional(number, 90)
    access_logs = optional(number, 365)
  })
  default = {}
}

variable "docs_site" {
  description = "The data docs site: private or public, its host name with the certificate, and who may open the private one."
  type = object({
    access          = optional(string, "private")
    domain          = optional(string)
    certificate_arn = optional(string)
    reader_cidrs    = optional(list(string), [])
  })
  default = {}
}

variable "warehouse" {
  description = "Redshift: serverless or provisioned, and the size of each."
  type = object({
    mode                    = optional(string, "serverless")
    serverless              = optional(object({ base_rpus = optional(number, 8), max_rpus = optional(number, 32), monthly_rpu_hours = optional(number, 200) }), {})
    provisioned             = optional(object({ node_type = optional(string, "ra3.large"), node_count = optional(number, 1) }), {})
    snapshot_retention_days = optional(number, 7)
  })
  default = {}
}

variable "airbyte" {
  description = "Airbyte's instance, and the abctl that installs it."
  type = object({
    instance_type = optional(string, "m7i-flex.large")
    disk_gib      = optional(number, 60)
    abctl         = object({ version = string, sha256 = optional(string) })
  })
}

variable "airflow" {
  description = "MWAA: version, class, and who reaches its web server."
  type = object({
    version               = string
    environment_class     = optional(string, "mw1.micro")
    webserver_access_mode = optional(string, "PRIVATE_ONLY")
  })
}

variable "step_sizes" {
  description = "CPU units and MiB of each family's container."
  type = object({
    loader      = object({ cpu = number, memory = number })
    transformer = object({ cpu = number, memory = number })
    publisher   = object({ cpu = number, memory = number })
    maintainer  = object({ cpu = number, memory = number })
  })
}

variable "collector_image" {
  description = "AWS' OpenTelemetry collector beside each step, by its digest in this account's registry. Null: none; the run's spans are in the lake all the same."
  type        = string
  default     = null
}

variable "alerts" {
  description = "Who is told, and what a month may cost."
  type = object({
    emails             = optional(set(string), [])
    slack              = optional(object({ team_id = string, channel_id = string }))
    monthly_budget_usd = number
  })
}

variable "pagerduty_url" {
  description = "PagerDuty's integration URL. It holds a key: give it by TF_VAR_pagerduty_url. Null: none."
  type        = string
  default     = null
  sensitive   = true
}

variable "release" {
  description = "What a release changes: the image's digest, MWAA's files by object version, the connection in Airbyte. Each null until there is one (docs/deploy.md)."
  type = object({
    image_digest          = optional(string)
    requirements_version  = optional(string)
    startup_version       = optional(string)
    airbyte_connection_id = optional(string, "")
    airbyte_source_id     = optional(string, "")
  })
  default = {}

  validation {
    condition     = var.release.image_digest == null || can(regex("^sha256:[0-9a-f]{64}$", var.release.image_digest))
    error_message = "release.image_digest is sha256: and 64 hex digits, as docker push prints it."
  }

  validation {
    condition     = (var.release.requirements_version == null) == (var.release.startup_version == null)
    error_message = "release.requirements_version and startup_version come together: MWAA wants both files."
  }

  validation {
    condition     = alltrue([for id in [var.release.airbyte_connection_id, var.release.airbyte_source_id] : id == "" || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "release.airbyte_connection_id and airbyte_source_id are the ids that `spacex-elt airbyte apply` ends with."
  }
}
