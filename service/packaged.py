"""Files that come with the service and aren't Python: templates, documents and the app's manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def packaged(name: str) -> Path:
    """A file or folder: inside the package in a wheel, beside it in a checkout and an image."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.exists() else package.parent / name


def app_manifest() -> dict[str, Any]:
    """What `app-manifest.yml` asks GitHub for."""
    read: dict[str, Any] = yaml.safe_load(packaged("app-manifest.yml").read_text(encoding="utf-8"))
    return read
