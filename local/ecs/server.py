"""Speaks the task operations of ECS over HTTP, in front of moto's server. What they do is local/ecs/book.py's job.

`/_faults/ecs` orders failures (PUT) and tells which are still to come: no part of ECS, the stand-in's own word.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from local.ecs.book import TaskBook
from local.ecs.orders import Body, Refused

_TARGET = "AmazonEC2ContainerServiceV20141113."


class Ecs:
    """The WSGI application: what the task book answers, and everything else to the application behind it."""

    def __init__(self, book: TaskBook, behind: Callable[..., Iterable[bytes]]) -> None:
        self._behind = behind
        self._book = book
        self._operations: Mapping[str, Callable[[Body], Body]] = {
            "RunTask": book.run_task,
            "DescribeTasks": book.describe_tasks,
            "ListTasks": book.list_tasks,
            "StopTask": book.stop_task,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers one request."""
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        operation = self._operations.get(target.removeprefix(_TARGET)) if target.startswith(_TARGET) else None
        if environ.get("PATH_INFO") == "/_faults/ecs":
            operation = self._book.order_faults if environ["REQUEST_METHOD"] == "PUT" else self._book.faults
        if operation is None:
            return self._behind(environ, start_response)
        return _answer(operation, Request(environ))(environ, start_response)


def _answer(operation: Callable[[Body], Body], request: Request) -> Response:
    status, answer = 200, None
    try:
        answer = operation(json.loads(request.get_data() or b"{}"))
    except Refused as exc:
        status = 500 if exc.code == "ServerException" else 400
        answer = {"__type": exc.code, "message": str(exc)}
    except ValueError:
        status, answer = 400, {"__type": "SerializationException", "message": "the request's body is not JSON."}
    return Response(json.dumps(answer), status, content_type="application/x-amz-json-1.1")
