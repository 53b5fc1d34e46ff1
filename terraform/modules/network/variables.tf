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

variable "cidr" {
  description = "The VPC's address range, a /16 that no network peered with it has."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "cidr is a /16 such as 10.42.0.0/16."
  }
}

variable "availability_zones" {
  description = "Names of the zones to spread over. Redshift Serverless wants three, MWAA uses the first two."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 3
    error_message = "availability_zones has two or three names, such as eu-central-1a and eu-central-1b."
  }
}

variable "is_highly_available" {
  description = "Whether NAT and interface endpoints stand in each zone (their cost times the zones), or in one."
  type        = bool
}

variable "logs_key_arn" {
  description = "Key of the flow logs' group."
  type        = string
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
}

variable "docs_reader_cidrs" {
  description = "Private address ranges whose people may open the private docs site: the VPC's peers, the VPN. Empty: none."
  type        = list(string)

  validation {
    condition = alltrue([for cidr in var.docs_reader_cidrs :
    can(cidrnetmask(cidr)) && can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)", cidr))])
    error_message = "docs_reader_cidrs are private ranges such as 10.0.0.0/8: the private site is never open to the internet."
  }
}
