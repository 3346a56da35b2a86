"""A file's bytes as a tree of values, by its name: JSON, YAML, or the front matter of Markdown."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from pathlib import PurePosixPath

from service.rules.evidence.tree import Tree, Unreadable, decimal_of, not_finite
from service.rules.evidence.yaml_tree import read_yaml
from service.rules.source.block import front_matter, lines_of
from service.rules.source.wording import shown

MOST_COMMAS = 500_000
"""What bounds the values of a JSON file, and so the time and the memory that it takes."""
YAML_SUFFIXES = frozenset({".yml", ".yaml"})
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
MANY_VALUES = "Extra data"


def read_document(file: str, data: bytes) -> Tree | Unreadable:
    """The values that a file holds; raises on no input.

    A file of another kind is read as JSON, whatever its name ends in.
    """
    text = read_text(data)
    if isinstance(text, Unreadable):
        return text
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in YAML_SUFFIXES:
        return read_yaml(text)
    if suffix in MARKDOWN_SUFFIXES:
        return read_front_matter(text)
    return read_json(text)


def read_text(data: bytes) -> str | Unreadable:
    """The text without its byte order mark."""
    if data.startswith(LFS_POINTER):
        return Unreadable("the file is in Git LFS: commit the file itself")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Unreadable("the file is encoded as UTF-16: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Unreadable("the file is not UTF-8: save it as UTF-8")
    return text if text.strip() else Unreadable("the file is empty: let the tool write it again")


def read_json(text: str) -> Tree | Unreadable:
    """The values of a JSON file: exact, and no key twice."""
    if text.count(",") > MOST_COMMAS:
        return Unreadable("too many values: commit a summary with the number")
    try:
        tree: Tree = json.loads(
            text, parse_float=decimal_of, parse_constant=not_finite, object_pairs_hook=unique
        )
    except (ValueError, RecursionError) as error:
        return Unreadable(what_json_refuses(error))
    return tree


def what_json_refuses(error: Exception) -> str:
    """Why a text is not JSON, or is more than is read of it."""
    if isinstance(error, DuplicateKeyError):
        return f"{shown(error.key, 20)} stands twice in one object: keep one"
    if isinstance(error, RecursionError):
        return "nested too deep: commit a flat summary"
    if not isinstance(error, json.JSONDecodeError):
        return "holds a number of thousands of digits: round it"
    if error.msg == MANY_VALUES:
        return "holds several JSON values: write them as one list"
    return f"line {error.lineno} is not JSON: let the tool write JSON"


class DuplicateKeyError(ValueError):
    """A key that stands twice: parsers differ in which one they take."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def unique(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    """An object whose keys all differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        raise DuplicateKeyError(counted.most_common(1)[0][0])
    return made


def read_front_matter(text: str) -> Tree | Unreadable:
    """The values between `---` and `---` at the top of a Markdown file, such as a model card."""
    block = front_matter(lines_of(text))
    if block is None:
        return Unreadable("no front matter: begin the file with a line `---`")
    if not block.closed:
        return Unreadable("the front matter has no end: add a line `---`")
    return read_yaml(block.text)
