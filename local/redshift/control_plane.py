"""Speaks as much of Redshift's AWS API as logging in takes, provisioned and serverless, in front of moto's server.

Who calls is read off the access key, as moto knows it; signatures are not checked. Checking passwords is startup.py's.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from local.redshift import temporary
from local.redshift.temporary import Pass
from local.stack_env import ACCOUNT, REGION

_SERVERLESS = "RedshiftServerless."
_NAMESPACE = "http://redshift.amazonaws.com/doc/2012-12-01/"
_DURATIONS_S = range(900, 3601)

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The one warehouse, under its names as a cluster and as a serverless workgroup."""

    name: str
    host: str
    port: int
    database: str
    key: bytes  # that temporary passwords are signed with
    own_access_key: str  # the stack's: whoever has it has the role
    own_role: str


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        super().__init__(message)


class ControlPlane:
    """The WSGI application: what this module answers, and everything else to the application behind it."""

    def __init__(self, cluster: Cluster, behind: Callable[..., Iterable[bytes]]) -> None:
        self._cluster = cluster
        self._behind = behind
        self._actions: Mapping[str, Callable[[Mapping[str, str], str], Body]] = {
            "GetClusterCredentials": self._credentials,
            "GetClusterCredentialsWithIAM": self._credentials_with_iam,
            "DescribeClusters": self._clusters,
        }
        self._operations: Mapping[str, Callable[[Body, str], Body]] = {
            "GetCredentials": self._serverless_credentials,
            "GetWorkgroup": self._workgroup,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers one request."""
        access_key, service = _caller(environ.get("HTTP_AUTHORIZATION", ""))
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if service not in ("redshift", "redshift-serverless"):
            return self._behind(environ, start_response)
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(raw)
        if (operation := self._operations.get(target.removeprefix(_SERVERLESS))) and target.startswith(_SERVERLESS):
            return self._serverless(operation, raw, access_key)(environ, start_response)
        parameters = {name: values[0] for name, values in parse_qs(raw.decode(errors="replace")).items()}
        if action := self._actions.get(parameters.get("Action", "")):
            return self._provisioned(action, parameters, access_key)(environ, start_response)
        return self._behind(environ, start_response)

    @staticmethod
    def _serverless(operation: Callable[[Body, str], Body], raw: bytes, access_key: str) -> Response:
        try:
            status, answer = 200, operation(json.loads(raw or b"{}"), access_key)
        except _Refused as exc:
            status, answer = exc.status, {"__type": exc.code, "message": str(exc)}
        except ValueError:
            status, answer = 400, {"__type": "ValidationException", "message": "the request's body is not JSON."}
        return Response(json.dumps(answer), status, content_type="application/x-amz-json-1.1")

    @staticmethod
    def _provisioned(
        action: Callable[[Mapping[str, str], str], Body], parameters: Mapping[str, str], access_key: str
    ) -> Response:
        name = parameters["Action"]
        try:
            status, inner = 200, f"<{name}Result>{_xml(action(parameters, access_key))}</{name}Result>"
            root = f"{name}Response"
        except _Refused as exc:
            told = {"Type": "Sender", "Code": exc.code, "Message": str(exc)}
            status, inner, root = exc.status, f"<Error>{_xml(told)}</Error>", "ErrorResponse"
        text = f'<{root} xmlns="{_NAMESPACE}">{inner}<RequestId>local</RequestId></{root}>'
        return Response(text, status, content_type="text/xml")

    def _credentials(self, parameters: Mapping[str, str], access_key: str) -> Body:
        self._identity(access_key)
        self._check_cluster(parameters)
        if any(name.startswith("DbGroups.") for name in parameters):
            raise _Refused(400, "UnsupportedOperation", "DbGroups is not supported by the Redshift stand-in")
        user = parameters.get("DbUser", "")
        if not user:
            raise _Refused(400, "MissingParameter", "The request must contain the parameter DbUser.")
        creates = parameters.get("AutoCreate", "false").lower() == "true"
        login = ("IAMA:" if creates else "IAM:") + user
        duration_s = _duration_s(parameters.get("DurationSeconds"))
        password, expires_at = self._issue(login, user.lower(), parameters.get("DbName"), duration_s, creates=creates)
        return {"DbUser": login, "DbPassword": password, "Expiration": _written(expires_at)}

    def _credentials_with_iam(self, parameters: Mapping[str, str], access_key: str) -> Body:
        login = self._identity(access_key)
        self._check_cluster(parameters)
        duration_s = _duration_s(parameters.get("DurationSeconds"))
        password, expires_at = self._issue(login, login, parameters.get("DbName"), duration_s, creates=True)
        moment = _written(expires_at)
        return {"DbUser": login, "DbPassword": password, "Expiration": moment, "NextRefreshTime": moment}

    def _clusters(self, parameters: Mapping[str, str], access_key: str) -> Body:
        self._identity(access_key)
        if "ClusterIdentifier" in parameters:
            self._check_cluster(parameters)
        told = {
            "ClusterIdentifier": self._cluster.name,
            "ClusterStatus": "available",
            "ClusterAvailabilityStatus": "Available",
            "DBName": self._cluster.database,
            "Endpoint": {"Address": self._cluster.host, "Port": self._cluster.port},
        }
        return {"Clusters": {"Cluster": told}}

    def _serverless_credentials(self, asked: Body, access_key: str) -> Body:
        login = self._identity(access_key)
        self._check_workgroup(asked)
        duration_s = _duration_s(asked.get("durationSeconds"))
        password, expires_at = self._issue(login, login, asked.get("dbName"), duration_s, creates=True)
        moment = expires_at.timestamp()
        return {"dbUser": login, "dbPassword": password, "expiration": moment, "nextRefreshTime": moment}

    def _workgroup(self, asked: Body, access_key: str) -> Body:
        self._identity(access_key)
        self._check_workgroup(asked)
        endpoint = {"address": self._cluster.host, "port": self._cluster.port}
        return {"workgroup": {"workgroupName": self._cluster.name, "status": "AVAILABLE", "endpoint": endpoint}}

    def _issue(
        self, login: str, user: str, database: str | None, duration_s: int, *, creates: bool
    ) -> tuple[str, datetime]:
        expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=duration_s)
        allowed = Pass(login, user, database or None, creates, expires_at.timestamp())
        return temporary.issue(self._cluster.key, allowed), expires_at

    def _identity(self, access_key: str) -> str:
        """The user's name that the caller's identity has in the database."""
        if access_key == self._cluster.own_access_key:
            return f"IAMR:{self._cluster.own_role}"
        kind, _, rest = _arn(access_key).rpartition(":")[2].partition("/")
        if kind == "assumed-role":
            return "IAMR:" + rest.partition("/")[0]
        if kind == "user" and rest != "moto":  # whom moto takes a key for that it does not know
            return "IAM:" + rest.rpartition("/")[2]
        raise _Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")

    def _check_cluster(self, parameters: Mapping[str, str]) -> None:
        if (name := parameters.get("ClusterIdentifier")) != self._cluster.name:
            raise _Refused(404, "ClusterNotFound", f"Cluster {name} not found. Here is only {self._cluster.name}.")

    def _check_workgroup(self, asked: Body) -> None:
        if (name := asked.get("workgroupName")) != self._cluster.name:
            message = f"Workgroup {name} not found. Here is only {self._cluster.name}."
            raise _Refused(404, "ResourceNotFoundException", message)


def _caller(authorization: str) -> tuple[str, str]:
    """Access key and service of a signed request: `… Credential=KEY/day/region/service/aws4_request, …`."""
    parts = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (parts[0], parts[3]) if len(parts) == 5 else ("", "")


def _arn(access_key: str) -> str:
    from moto.sts.models import sts_backends

    return str(sts_backends[ACCOUNT]["aws"].get_caller_identity(access_key, REGION)[1])


def _duration_s(given: object) -> int:
    text = "900" if given is None else str(given)
    if not text.isdecimal() or int(text) not in _DURATIONS_S:
        message = f"Token duration must be between {_DURATIONS_S[0]} and {_DURATIONS_S[-1]} seconds, not {text}"
        raise _Refused(400, "InvalidParameterValue", message)
    return int(text)


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _xml(value: object) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(inner)}</{name}>" for name, inner in value.items())
    return escape(str(value))
