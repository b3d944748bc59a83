"""What a failing model means for a run: one code, one safe sentence, and whether to try again."""

from callbacks.events import Error, Stage
from callbacks.spending import BudgetSpent

_TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_FIRST_WAIT_SECONDS = 0.25
_LONGEST_WAIT_SECONDS = 5.0


class ModelFailure(RuntimeError):
    """A model did not answer. Nothing of the provider's own message is in it: that may hold keys or prompts."""

    def __init__(self, code: str, message: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.retry_after = retry_after

    def wait_before(self, attempt: int) -> float:
        """Seconds to wait after the given attempt (1..), by the provider's word or else doubling."""
        wanted = self.retry_after if self.retry_after is not None else _FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
        return min(wanted, _LONGEST_WAIT_SECONDS)

    def event(self, *, fatal: bool, stage: Stage | None = None) -> Error:
        """The event that tells the reader."""
        after = None if self.retry_after is None else round(self.retry_after * 1000)
        return Error(
            code=self.code,
            message=str(self),
            fatal=fatal,
            retryable=self.retryable,
            stage=stage,
            retry_after_ms=after,
        )


def failure_of(error: Exception) -> ModelFailure:
    """The failure behind a provider's exception.

    Providers share no exception classes; what they share is `status_code`, `response.headers`, and names.
    """
    if isinstance(error, ModelFailure):
        return error
    if isinstance(error, BudgetSpent):
        message = "The budget was spent before the answer was written."
        return ModelFailure("budget_spent", message, retryable=False)
    status = getattr(error, "status_code", None)
    if status == 429:
        wait = _retry_after(error)
        return ModelFailure("model_rate_limited", "The model is busy.", retryable=True, retry_after=wait)
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return ModelFailure("model_timeout", "The model did not answer in time.", retryable=True)
    if status in (401, 403):
        return ModelFailure("model_refused_key", "The model's provider refused the server's key.", retryable=False)
    if isinstance(status, int) and status not in _TRANSIENT:
        return ModelFailure("model_rejected", "The model's provider rejected the request.", retryable=False)
    return ModelFailure("model_unavailable", "The model could not be reached or broke off.", retryable=True)


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None
