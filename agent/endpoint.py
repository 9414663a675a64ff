"""A hosted model behind an OpenAI-compatible address: how it is asked, and when it is given up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from catalog.errors import CannotNow

ANSWER_TOKENS = 1000
"""A hosted model is cut off here: a small one may otherwise talk until its context is full."""


def hosted_model(
    url: str | None, key: str | None, model: str | None, timeout_s: float, ends: float | None = None
) -> Any:
    """The chat model at ``url``; a silence of ``timeout_s`` is an error.

    ``ends`` (``time.monotonic``): when the whole turn must be over. A server that shows that it
    is alive, and says nothing, is given up then too.
    """
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model=model or "gpt-4o-mini",
        base_url=url or None,
        api_key=key or "none",  # type: ignore[arg-type]
        timeout=timeout_s,
        max_retries=1,
        streaming=True,
        max_completion_tokens=ANSWER_TOKENS,
        # a server of one's own may know the older name only; OpenAI refuses both together
        extra_body=None if "openai" in (url or "openai") else {"max_tokens": ANSWER_TOKENS},
        http_client=None if ends is None else _until(ends),
    )


def what_happened(error: Exception) -> str:
    """A model server's failure in a few words a shopper can read; no address, no key."""
    name = type(error).__name__
    status = getattr(error, "status_code", None)
    if isinstance(error, CannotNow):
        return error.message
    if "Timeout" in name:
        return "took too long to answer"
    if "Connection" in name or "Connect" in name or isinstance(error, OSError):
        return "cannot be reached"
    if status == 401 or status == 403:
        return f"refused the key (HTTP {status})"
    if status:
        return f"answered with an error (HTTP {status})"
    return "answered with something that is not a chat completion"


def _until(ends: float) -> Any:
    """A client whose answers are over at ``ends``, however lively they look until then."""
    from openai import DefaultHttpxClient

    def shorten(response: Any) -> None:
        read = response.iter_bytes

        def parts(*args: Any, **kwargs: Any) -> Iterator[bytes]:
            for part in read(*args, **kwargs):
                if time.monotonic() > ends:
                    raise TimeoutError
                yield part

        response.iter_bytes = parts

    return DefaultHttpxClient(event_hooks={"response": [shorten]})
