"""Owns the one tree of errors, ordered by what the caller should do: retry, fix the data, fix the configuration.

Turning an error into an exit code is the command line's job (spacex_elt/exit_codes.py).
"""


class PipelineError(Exception):
    """Something the pipeline foresaw. The message says what, where, what was expected and what to do next."""


class Retry(PipelineError):
    """Nothing is known to be wrong with data or configuration: the same call may succeed later."""


class ServiceUnavailable(Retry):
    """A source or service did not answer, answered with an error of its own, or lost what it held."""


class FixData(PipelineError):
    """The data is not what its contract says. Repeating the call repeats the answer."""


class GateClosed(FixData):
    """A gate said no-go: the batch is held and the last good version keeps being served."""


class RowsDoNotReconcile(FixData):
    """A recount disagrees with a count: rows were lost or doubled somewhere, so nothing is published."""


class TransformFailed(FixData):
    """dbt built or tested something to failure."""


class FixConfiguration(PipelineError):
    """The caller asked for something that cannot be: a wrong name, setting, credential or contract."""


class UsageError(FixConfiguration):
    """A wrong argument, setting or credential."""


class ContractInvalid(FixConfiguration):
    """A contract cannot be read, or does not say what a contract must say."""
