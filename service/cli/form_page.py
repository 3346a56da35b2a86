"""The page whose button registers the app: it stands alone, also as a file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from service.packaged import packaged
from service.web.html import render


@dataclass(frozen=True, slots=True)
class Form:
    """What the browser posts to GitHub."""

    org: str
    github_url: str
    action: str
    manifest: Mapping[str, Any]


def registration_page(form: Form, *, headless: bool = False) -> str:
    """The form."""
    return render(
        "register.html",
        form=form,
        manifest=json.dumps(form.manifest),
        style=_style(),
        policy=policy(form.github_url),
        headless=headless,
    )


def said_page(title: str, says: str) -> str:
    """A page that says something."""
    return render("said.html", title=title, says=says, style=_style(), policy=policy())


def policy(github_url: str = "") -> str:
    """Its content security policy: nothing runs, and a form goes to GitHub alone."""
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    # Browsers hold the addresses that a form is redirected to against it as well.
    target = f"{github_url} 'self'" if github_url else "'none'"
    loaded = f"default-src 'none'; img-src data:; style-src 'sha256-{style}'"
    return f"{loaded}; form-action {target}; base-uri 'none'"


@cache
def _style() -> str:
    return (packaged("templates") / "pages" / "pages.css").read_text(encoding="utf-8")
