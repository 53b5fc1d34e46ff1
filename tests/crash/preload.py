"""Imports and reads what a load imports and reads first, for processes that are forked from one that has."""

import boto3
import redshift_connector  # noqa: F401

import loader.steps  # noqa: F401
import spacex_elt.cli
import spacex_elt.wiring  # noqa: F401
from validation.load_gate import warm_up

warm_up()
for service in ("s3", "secretsmanager", "sns"):  # a service's description is read when its first client is made
    boto3.client(service, region_name="us-east-1").close()
