# terraform init -backend-config=environments/dev.backend.hcl -backend-config=bucket=NAME
key    = "spacex-elt/dev/terraform.tfstate"
region = "eu-central-1"
