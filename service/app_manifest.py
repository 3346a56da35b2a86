"""`app-manifest.yml`: beside the package in a checkout and an image, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

NAME = "app-manifest.yml"


def template() -> dict[str, Any]:
    """What it says."""
    package = Path(__file__).parent
    file = next(place for place in (package.parent / NAME, package / NAME) if place.is_file())
    read: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read
