"""What stands at the charter's path of many repositories: one call tells it of a hundred."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from service.github_client.connection import Connection
from service.github_client.errors import SHOWN, translated
from service.graphql import AT_ONCE, about
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind
from service.rules.source.text import CHARTER_PATH, CharterFile, FileKind
from service.rules.values.github import RepositoryRef

Asked = tuple[RepositoryRef, str]
"""A repository, and what of it is asked for."""

AT_HEAD = f'databaseId object(expression: "HEAD:{CHARTER_PATH}") {{ oid ... on Blob {{ byteSize }} }}'
"""`HEAD` is the default branch."""
TEXT = 'databaseId object(oid: "{}") {{ ... on Blob {{ text }} }}'
LARGEST_TEXT = 64 * 1024
"""Bytes of a file that is read with others: an answer has at most a hundred."""
FEWEST = 25
"""Repositories of one query: what is too much even then is not asked for any more."""


class CharterFiles(Connection):
    """Asks about the default branches of many repositories."""

    def charter_files(self, repositories: Sequence[RepositoryRef]) -> Mapping[int, CharterFile]:
        """Ask what stands there, and then for the texts, each a hundred at a time.

        A link's blob looks like a file that holds a path.
        """
        shown = self._objects([(each, AT_HEAD) for each in repositories])
        blobs = {
            each.id: str(blob["oid"])
            for each in repositories
            if (blob := shown.get(each.id)) and blob.get("byteSize", LARGEST_TEXT + 1) <= LARGEST_TEXT
        }
        named = [(each, TEXT.format(blobs[each.id])) for each in repositories if each.id in blobs]
        files = {
            repository_id: file
            for repository_id, blob in self._objects(named).items()
            if (file := _file(blob, blobs[repository_id]))
        }
        absent = [repository_id for repository_id, found in shown.items() if found is None]
        return files | dict.fromkeys(absent, CharterFile(FileKind.ABSENT))

    def _objects(self, asked: Sequence[Asked]) -> Mapping[int, Any]:
        """The object of each repository, None where there is none, as far as GitHub answers.

        About half as many are asked for at a time where it takes too long.
        """
        found: dict[int, Any] = {}
        rest, size = list(asked), AT_ONCE
        while rest and size >= FEWEST:
            try:
                found |= self._told(rest[:size])
            except GitHubError as error:
                if error.failure.kind is not FailureKind.TRANSIENT:
                    break
                size = min(size, len(rest)) // 2
            else:
                rest = rest[size:]
        return found

    def _told(self, asked: Sequence[Asked]) -> Mapping[int, Any]:
        """The answers that are whole, and about the repository that was meant: another may have its name."""
        what = f"asking {len(asked)} repositories for {CHARTER_PATH}"
        data, errors = self._graphql(what, about([(each.full_name, fields) for each, fields in asked]))
        with translated(what):
            ids = {f"r{at}": each.id for at, (each, _) in enumerate(asked)}
            doubtful = {(error.get("path") or [None])[0] for error in errors}
            if not doubtful <= ids.keys():
                # It is not said what is missing: what is null may be there.
                raise GitHubError(Failure(FailureKind.TRANSIENT, f"{what}: {errors[0]}"[:SHOWN]))
            whole = {ids[name]: answer for name, answer in data.items() if name not in doubtful and answer}
            return {
                each: answer["object"]
                for each, answer in whole.items()
                if answer["databaseId"] == each and isinstance(answer["object"], dict | None)
            }


def _file(blob: Mapping[str, Any] | None, oid: str) -> CharterFile | None:
    """A file of exactly these bytes; None where the text isn't all of it, or isn't UTF-8."""
    data = str((blob or {}).get("text") or "").encode(errors="replace")
    named = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return CharterFile(FileKind.FILE, data, oid, len(data)) if named == oid else None
