"""Owns how the server says no: a problem in JSON, as Airbyte's public API words it."""

from typing import Any

_TITLES = {
    400: "bad-request",
    401: "unauthorized",
    404: "resource-not-found",
    409: "try-again-later",
    422: "unprocessable-entity",
}


class Refused(Exception):
    """The request cannot be done. `status` is the HTTP status the real server gives."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def as_problem(self) -> dict[str, Any]:
        """The answer's body."""
        title = _TITLES[self.status]
        kind = f"https://reference.airbyte.com/reference/errors#{title}"
        return {"type": kind, "title": title, "status": self.status, "detail": str(self)}
