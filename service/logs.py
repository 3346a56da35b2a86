"""Log lines: as text for people, or as JSON for machines; secrets are struck out of both."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

SECRET = re.compile(
    r"(?:gh[a-z]|pocg)_[A-Za-z0-9._\-]{20,}"  # GitHub's tokens, the long ones of 2026 as well, and ours
    r"|eyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+"  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",  # user and password in an address
    re.DOTALL,
)
STRUCK = "(secret)"


def strike_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace whatever looks like a secret in any value of a log line."""
    return {name: _struck(value) for name, value in event.items()}


def _struck(value: Any) -> Any:  # noqa: ANN401 (whatever was logged)
    if isinstance(value, str):
        return SECRET.sub(STRUCK, value)
    if isinstance(value, list | tuple):
        return [_struck(item) for item in value]
    if isinstance(value, dict):
        return {_struck(key): _struck(item) for key, item in value.items()}
    shown = str(value)
    return STRUCK if SECRET.search(shown) else value


def configure(log_format: str, *, level: int = logging.INFO) -> None:
    """Send our log lines and the libraries' to standard error, in one format."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        strike_secrets,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
