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

variable "access" {
  description = "Who can reach the site: private (people on the private network, by an internal load balancer) or public (CloudFront)."
  type        = string
  default     = "private"

  validation {
    condition     = contains(["private", "public"], var.access)
    error_message = "access is private or public."
  }
}

variable "domain" {
  description = "The site's host name, such as data-docs.example.com. Null: private, no web server, people read the bucket."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain))
    error_message = "domain is a host name in small letters, such as data-docs.example.com."
  }

  validation {
    condition     = (var.domain == null) == (var.certificate_arn == null)
    error_message = "domain and certificate_arn come together: a name that people type wants a certificate."
  }

  validation {
    condition     = var.access == "private" || var.domain != null
    error_message = "access = public wants a domain and its certificate: CloudFront's own name would allow TLS 1.0."
  }
}

variable "certificate_arn" {
  description = "ACM certificate of the domain: in this region for private, in us-east-1 for public."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn is the ARN of an ACM certificate."
  }
}

variable "network" {
  description = "Where the private site's load balancer and S3 endpoint stand."
  type = object({
    vpc_id                     = string
    subnet_ids                 = list(string)
    subnet_cidrs               = list(string)
    docs_security_group_id     = string
    endpoint_security_group_id = string
  })
}

variable "key_arn" {
  description = "The key of the site's objects when it is public; a private site's reader cannot use a key."
  type        = string
}

variable "log_bucket" {
  description = "The bucket that takes access logs."
  type        = string
}

variable "is_disposable" {
  description = "Whether `terraform destroy` may remove it with what is in it."
  type        = bool
}
