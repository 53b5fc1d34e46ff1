# The private docs site, for plans: a bucket that is named as a host has no address on this machine.
docs_site = {
  domain          = "docs.internal.example.com"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/01234567-0123-0123-0123-0123456789ab"
  reader_cidrs    = ["10.0.0.0/8"]
}
