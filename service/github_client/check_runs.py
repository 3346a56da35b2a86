"""Check runs: found, posted, and completed again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from service.github_client.connection import PAGE, Connection
from service.rules.values.actions import Annotation, CheckRunOutput
from service.rules.values.github import RepositoryRef

ANNOTATIONS_A_REQUEST = 50
REQUIRED = "required_status_checks"
"""The type of the rule that names check runs."""


class CheckRuns(Connection):
    """Writes check runs."""

    def requires_check(self, repository: RepositoryRef, branch: str, name: str) -> bool:
        """Look for a check run among the rules that hold for a branch, those of the organisation as well."""

        def look(full_name: str) -> bool:
            rules = self._pages(f"/repos/{full_name}/rules/branches/{quote(branch, safe='')}")
            return any(name in _required_by(rule) for rule in rules)

        what = f"reading the rules of {branch} in {repository.full_name}"
        return bool(self._if_shown(repository, what, look))

    def find_check_run(
        self, repository: RepositoryRef, head_sha: str, name: str, external_id: str
    ) -> int | None:
        """Find a check run of ours that may or may not have been created."""

        def find(full_name: str) -> int | None:
            path = f"/repos/{full_name}/commits/{head_sha}/check-runs"
            runs = self._get(path, check_name=name, filter="all", per_page=PAGE)["check_runs"]
            return next((run["id"] for run in runs if run["external_id"] == external_id), None)

        return self._at(repository, f"looking for {name} on {head_sha[:7]} of {repository.full_name}", find)

    def create_check_run(
        self,
        repository: RepositoryRef,
        head_sha: str,
        name: str,
        external_id: str,
        output: CheckRunOutput,
        *,
        details_url: str,
    ) -> int:
        """Post a completed check run, with the annotations that one request takes."""
        first = output.annotations[:ANNOTATIONS_A_REQUEST]
        what = f"posting {name} on {head_sha[:7]} of {repository.full_name}"

        body = {
            "name": name,
            "head_sha": head_sha,
            "external_id": external_id,
            "details_url": details_url,
            **_completed(output, first),
        }

        def create(full_name: str) -> int:
            return int(self._send("POST", f"/repos/{full_name}/check-runs", body)["id"])

        return self._at(repository, what, create)

    def complete_check_run(
        self, repository: RepositoryRef, check_run_id: int, output: CheckRunOutput
    ) -> None:
        """Complete a run again, as its "Re-run" button asks; without annotations."""
        body = _completed(output, ())

        def complete(full_name: str) -> None:
            self._send("PATCH", f"/repos/{full_name}/check-runs/{check_run_id}", body)

        self._at(repository, f"completing check run {check_run_id} of {repository.full_name}", complete)


def _required_by(rule: Mapping[str, Any]) -> set[str]:
    """The check runs that a rule of a branch requires."""
    if rule["type"] != REQUIRED:
        return set()
    return {str(check["context"]) for check in rule["parameters"]["required_status_checks"]}


def _completed(output: CheckRunOutput, annotations: tuple[Annotation, ...]) -> dict[str, object]:
    return {
        "status": "completed",
        "conclusion": output.conclusion,
        "completed_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "output": {
            "title": output.title,
            "summary": output.summary + output.footnote,
            "annotations": [_annotation(annotation) for annotation in annotations],
        },
    }


def _annotation(annotation: Annotation) -> dict[str, str | int]:
    raw: dict[str, str | int] = {
        "path": annotation.path,
        "start_line": annotation.start_line,
        "end_line": annotation.end_line,
        "annotation_level": annotation.level,
        "message": annotation.message,
        "title": annotation.title,
    }
    if annotation.start_column is not None and annotation.start_line == annotation.end_line:
        raw |= {"start_column": annotation.start_column, "end_column": annotation.start_column}
    return raw
