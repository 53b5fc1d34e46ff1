"""Owns what an error of AWS means: fix the setting, or try again. S3's own words are loader/s3.py's."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from contracts.errors import PipelineError, ServiceUnavailable, UsageError

# What the services answer when nothing but another setting or another right will help.
_OUR_FAULT = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ClusterNotFound",
    "DecryptionFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAddress",
    "InvalidClientTokenId",
    "InvalidParameter",
    "InvalidParameterValue",
    "InvalidRequestException",  # of Secrets Manager: the secret is marked for deletion
    "InvalidSecurity",
    "InvalidSignatureException",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "UnsupportedOperation",  # of Redshift: the cluster is one that lets nobody in that way
    "ValidationError",
    "ValidationException",
)


@contextmanager
def translated(what: str, setting: str) -> Iterator[None]:
    """Turns boto3's errors about `what` into ours, naming the setting that leads to it."""
    try:
        yield
    except ClientError as exc:
        raise _wrapped(exc, what, setting) from exc
    except (NoCredentialsError, PartialCredentialsError, NoRegionError) as exc:
        raise UsageError(f"{what}: no usable AWS credentials ({exc}). Set AWS_REGION and credentials.") from exc
    except ParamValidationError as exc:
        raise UsageError(f"{what} cannot be asked for ({exc}). Check {setting}.") from exc
    except BotoCoreError as exc:
        raise ServiceUnavailable(f"{what} did not answer ({exc}). Expected an answer from AWS: try again.") from exc


def _wrapped(exc: ClientError, what: str, setting: str) -> PipelineError:
    code = exc.response.get("Error", {}).get("Code", "?")
    if code in _OUR_FAULT:
        return UsageError(f"{what} refused us ({code}). Expected an existing one that we may use: check {setting}.")
    return ServiceUnavailable(f"{what} answered with an error ({code}). Try again.")
