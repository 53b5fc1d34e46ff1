# Which Terraform and provider this is written for: forms that 5.100 and 6.x both take.
terraform {
  required_version = ">= 1.11, < 2.0" # S3's own state lock is stable from 1.11 on

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # What differs between deployments stands in environments/<environment>.backend.hcl. The lock is S3's own: an object
  # beside the state, made by a conditional write; no table.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Application = "spacex-elt"
      Environment = var.environment
      ManagedBy   = "terraform"
      Owner       = var.owner
    }
  }
}
