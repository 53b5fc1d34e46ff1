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
  description = "The key of the topic and its dead-letter queue."
  type        = string
}

variable "emails" {
  description = "Who gets each alert by mail; each address confirms once."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "emails are addresses such as data-team@example.com."
  }
}

variable "pagerduty_url" {
  description = "PagerDuty's integration URL for CloudWatch. Null: none. It holds a key: give it by TF_VAR_pagerduty_url."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.pagerduty_url == null || can(regex("^https://events\\.(eu\\.)?pagerduty\\.com/integration/[0-9a-zA-Z]+/enqueue$", var.pagerduty_url))
    error_message = "pagerduty_url is https://events.pagerduty.com/integration/<key>/enqueue."
  }
}

variable "slack" {
  description = "Slack channel that gets each alert by way of Chatbot (Amazon Q Developer in chat applications). Null: none."
  type        = object({ team_id = string, channel_id = string })
  default     = null

  validation {
    condition     = var.slack == null || can(regex("^T[0-9A-Z]+$", var.slack.team_id)) && can(regex("^[CG][0-9A-Z]+$", var.slack.channel_id))
    error_message = "slack has a team_id such as T0123ABCD and a channel_id such as C0123ABCD."
  }
}

variable "monthly_budget_usd" {
  description = "What a month may cost; people are told at 80 % and when the forecast is above it."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd is a number of US dollars above 0."
  }
}
