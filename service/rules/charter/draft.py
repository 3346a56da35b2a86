"""A charter to begin with: filled in as far as a repository tells, the rest marked TODO."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from service.rules.charter.keys import usual_ship_date

PLAIN = re.compile(r"[A-Za-z.][\w./-]*")
AFFIXES = re.compile(r"^(?:poc|proof-of-concept)[-_.]+|[-_.]+(?:poc|proof-of-concept)$", re.IGNORECASE)
STAGING = re.compile(r"stag|shadow|pre-?prod|uat|canary", re.IGNORECASE)
PRODUCTION = re.compile(r"prod|live", re.IGNORECASE)

TEMPLATE = """\
# {title}

TODO: who does this work today, what it costs them, what is in scope and what is not.

```yaml
poc: 1
owner: {owner}
ship_by: {ship_by}
target:
  environment: {environment}
{measured_in}  load: TODO  # like 50 req/s
  data: TODO  # like 180000 tickets/day
  auth: TODO  # like okta-oidc
done:  # numbers, not adjectives
  - accuracy >= TODO % on TODO with n >= 2000
  - latency_p95 <= TODO ms at TODO req/s
rollback:
  how: TODO  # what is turned off, and what takes over
  within: 10 min
infra:  # a path, a URL, n/a - reason, or missing
  feature_store: missing
  model_registry: missing
  eval_pipeline: {eval_pipeline}
  deploy_process: {deploy_process}
signoffs:  # four logins, none of them the owner
  data_science: TODO
  platform: TODO
  product: TODO
  security: TODO
```
"""


def draft(
    *,
    repository: str,
    owner: str | None,
    environments: tuple[str, ...] = (),
    infra: Mapping[str, str] = MappingProxyType({}),
    today: date | None,
) -> str:
    """A `POC.md` for a repository, whose findings are the TODO lines of its block; short enough for a URL.

    Without a day it proposes no ship date: a text that stays must not change from day to day.
    """
    ship_by = f"{usual_ship_date(today)}  # in 12 weeks; move it" if today else None
    target, staging = choose(environments)
    return TEMPLATE.format(
        title=title(repository),
        owner=owner or "TODO  # one GitHub login",
        ship_by=ship_by or "TODO  # a day, like 2027-02-26",
        environment=scalar(target) if target else "TODO  # like support-prod",
        eval_pipeline=scalar(infra.get("eval_pipeline", "missing")),
        deploy_process=scalar(infra.get("deploy_process", "missing")),
        measured_in=f"  measured_in: {scalar(staging)}\n" if staging else "",
    )


def choose(environments: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Where it would run, and where it would be measured first, by the names of the environments."""
    staging = next((name for name in environments if STAGING.search(name)), None)
    others = [name for name in environments if name != staging]
    target = next((name for name in others if PRODUCTION.search(name)), others[0] if others else None)
    return target, staging


def title(repository: str) -> str:
    """The repository's name as a heading."""
    name = repository.rpartition("/")[2]
    words = re.sub(r"[-_.]+", " ", AFFIXES.sub("", name)).strip()
    return f"{words[:1].upper()}{words[1:]}" or name


def scalar(text: str) -> str:
    """A name as YAML takes it, quoted where it must be."""
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
