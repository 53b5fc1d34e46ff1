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

variable "airflow_version" {
  description = "Airflow's version as MWAA has it: the one that dags/constraints.txt pins."
  type        = string

  validation {
    condition     = can(regex("^3\\.[0-9]+\\.[0-9]+$", var.airflow_version))
    error_message = "airflow_version is 3.x.y: the DAGs are written for Airflow 3."
  }
}

variable "environment_class" {
  description = "How large the environment is."
  type        = string

  validation {
    condition     = contains(["mw1.micro", "mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge"], var.environment_class)
    error_message = "environment_class is mw1.micro, mw1.small, mw1.medium, mw1.large, mw1.xlarge or mw1.2xlarge."
  }
}

variable "webserver_access_mode" {
  description = "PRIVATE_ONLY: reached from the VPC, through a VPN or a session. PUBLIC_ONLY: from the internet, by IAM."
  type        = string
  default     = "PRIVATE_ONLY"

  validation {
    condition     = contains(["PRIVATE_ONLY", "PUBLIC_ONLY"], var.webserver_access_mode)
    error_message = "webserver_access_mode is PRIVATE_ONLY or PUBLIC_ONLY."
  }
}

variable "files" {
  description = "Object versions of requirements.txt and startup.sh in the bucket. Null: no environment yet, only its bucket and role."
  type        = object({ requirements_version = string, startup_version = string })
  default     = null
}

variable "network" {
  description = "Two private subnets in two zones, and the group."
  type        = object({ subnet_ids = list(string), security_group_id = string })

  validation {
    condition     = length(var.network.subnet_ids) == 2
    error_message = "network.subnet_ids are exactly two, in two zones: MWAA takes no other number."
  }
}

variable "key_arns" {
  description = "Keys: of the environment, of the lake, of secrets, of alerts."
  type        = object({ orchestration = string, lake = string, secrets = string, alerts = string })
}

variable "pipeline" {
  description = "What the DAGs run and read: cluster, families, the roles handed to steps, the steps' log group."
  type = object({
    cluster          = string
    family_prefix    = string
    passed_role_arns = list(string)
    log_group        = object({ name = string, arn = string })
  })
}

variable "uses" {
  description = "What else its role may use: the lake, of whose incidents the failure callback reads and writes, the topic by which it tells people, Airflow's connections and variables."
  type        = object({ lake_arn = string, alert_topic_arn = string, secret_arn_pattern = string })
}

variable "buckets" {
  description = "The bucket that takes access logs, and whether `terraform destroy` may remove ours with what is in it."
  type        = object({ log_bucket = string, is_disposable = bool })
}
