# terraform init -backend-config=environments/prod.backend.hcl -backend-config=bucket=NAME
key    = "spacex-elt/prod/terraform.tfstate"
region = "eu-central-1"
