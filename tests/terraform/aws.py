"""Owns the AWS that Terraform meets in tests: a moto server, made to answer a few calls that it lacks.

Each addition says what it is for; none makes an answer better than AWS' own. Run as a program:
`python -m tests.terraform.aws --port-file FILE`.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

import boto3

HOST = "127.0.0.1"
ACCOUNT = "123456789012"
REGION = "eu-central-1"


def client(service: str, endpoint: str) -> Any:
    """A client of the server."""
    make: Any = boto3.client  # typed by the name of the service, which is any here
    return make(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """A server of its own, by its address; it ends with the context."""
    port_file = folder / "port"
    told = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_EC2_LOAD_DEFAULT_AMIS": "true"}
    with (folder / "moto.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.terraform.aws", "--port-file", str(port_file)],
            stdout=log,
            stderr=log,
            env={**os.environ, **told},
        )
    try:
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert server.poll() is None, (folder / "moto.log").read_text()
            assert time.monotonic() < deadline, "moto did not come up within a minute"
            time.sleep(0.05)
        yield f"http://{HOST}:{port_file.read_text()}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _complete_redshift() -> None:
    """What the provider reads of a cluster and writes to a parameter group."""
    from moto.core.responses import ActionResult
    from moto.redshift import models, responses

    cluster: Any = models.Cluster
    cluster.cluster_availability_status = "Available"
    cluster.availability_zone_relocation_status = "disabled"
    cluster.multi_az = "Disabled"
    parameters: dict[str, dict[str, Any]] = {}

    def modify(self: Any) -> ActionResult:
        name = self._get_param("ParameterGroupName")
        for parameter in self._get_param("Parameters", []):
            given = {**parameter, "Source": "user", "IsModifiable": True}
            parameters.setdefault(name, {})[parameter["ParameterName"]] = given
        return ActionResult({"ParameterGroupName": name, "ParameterGroupStatus": "updated"})

    def describe(self: Any) -> ActionResult:
        return ActionResult({"Parameters": list(parameters.get(self._get_param("ParameterGroupName"), {}).values())})

    response: Any = responses.RedshiftResponse
    response.modify_cluster_parameter_group = modify
    response.describe_cluster_parameters = describe


def _complete_s3() -> None:
    """moto takes a condition that is not met for a denial, whatever the statement's effect."""
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    bucket: Any = FakeBucket
    bucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL


def _complete_ec2() -> None:
    """Detailed monitoring, which moto can neither switch on nor off; what it forgets of rules and endpoints."""
    from moto.core.responses import EmptyResult
    from moto.ec2.models.security_groups import SecurityGroupRule
    from moto.ec2.responses import EC2Response

    response: Any = EC2Response
    response.monitor_instances = lambda self: EmptyResult()
    response.unmonitor_instances = lambda self: EmptyResult()

    rule: Any = SecurityGroupRule
    make = rule.__init__

    def make_and_keep(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.prefix_list = signature(make).bind(self, *args, **kwargs).arguments.get("prefix_list_id") or {}

    def description(self: Any) -> str | None:
        peers = (self.ip_range, self.source_group, self.prefix_list)
        told: str | None = next((peer["Description"] for peer in peers if "Description" in peer), None)
        return told

    rule.__init__ = make_and_keep
    rule.description = property(description)

    create = response.create_vpc_endpoint

    def create_with_addresses(self: Any) -> Any:
        answer = create(self)
        asked = {each["SubnetId"]: each["Ipv4"] for each in self._get_param("SubnetConfigurations", [])}
        for name in answer.result["VpcEndpoint"].network_interface_ids or ():
            interface = self.ec2_backend.get_network_interface(name)
            address = asked.get(interface.subnet.id, interface.private_ip_address)
            interface.private_ip_address = address
            interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
        return answer

    response.create_vpc_endpoint = create_with_addresses


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", type=Path, required=True)
    options = parser.parse_args()

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    _complete_redshift()
    _complete_s3()
    _complete_ec2()
    server = make_server(HOST, 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    written = options.port_file.with_suffix(".part")
    written.write_text(str(server.port))
    written.rename(options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
