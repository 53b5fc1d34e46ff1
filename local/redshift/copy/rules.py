"""Owns what COPY and UNLOAD may do on this server: whose role they may take, where the buckets are."""

from dataclasses import dataclass

from local.redshift.copy.failure import load_error
from local.redshift.copy.grammar import DEFAULT_ROLE


@dataclass(frozen=True, slots=True)
class CopyRules:
    """What COPY and UNLOAD may do on this server."""

    role_arns: tuple[str, ...]  # that may be assumed; the first is the cluster's default role
    region: str | None  # where the buckets are; None: REGION is not checked

    def check(self, role_arn: str | None, region: str | None) -> None:
        """Raises CopyFailed when a statement names another role or region."""
        if role_arn == DEFAULT_ROLE:
            if not self.role_arns:
                raise load_error("No default IAM role is associated with the cluster")
        elif role_arn not in self.role_arns:
            raise load_error(
                f"Not authorized to get credentials of role {role_arn}",
                "error:  Not authorized to get credentials of role\n  code:      30000",
                f"Roles this server may assume: {', '.join(self.role_arns) or 'none'}",
            )
        if region is not None and self.region is not None and region != self.region:
            raise load_error(
                "S3ServiceException:The bucket you are attempting to access must be addressed using the specified "
                f"endpoint.,Status 301,Error PermanentRedirect (REGION '{region}', the buckets are in {self.region})"
            )
