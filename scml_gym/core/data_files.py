"""Plain data in files that may come from others: YAML, JSON and XML, of a size and a depth that can be read.

Nothing in such a file is run or imported. Whatever is wrong with one is told in one line.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import yaml

from scml_gym.core.errors import InputError

MOST_BYTES = 2**25
"""Of a file."""

MOST_PARTS = 2_000_000
"""Texts, numbers, lists and mappings in a YAML file, each counted wherever an alias names it."""

MOST_DEPTH = 100
"""Of lists and mappings in each other, as in JSON."""

DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError, EOFError, MemoryError)
"""What reading a damaged file may raise, beside what the system or a library of its format does."""


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C takes a tenth of the time, where there is one."""


class _Loader(_Base):
    """YAML in which ``1e-4`` is a number, as in YAML 1.2, and a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for given, _ in node.value:
            key = self.construct_object(given, deep=True)
            try:
                if key in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", node.start_mark)
                seen.add(key)
            except TypeError:  # it is told below that it can be no key
                break
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that `_Loader` would take for numbers."""


_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def parse_yaml(text: str) -> Any:
    """What a text says in YAML, as `read_yaml` reads it, in a time that grows with its length alone.

    Raises:
        yaml.YAMLError: if it is not YAML, nested deeper than `MOST_DEPTH`, or has more parts than `MOST_PARTS`.
    """
    try:
        _check_parts(text)
        return yaml.load(text, _Loader)
    except DAMAGE as error:  # what a tag such as !!int makes of another text
        raise yaml.YAMLError(f"a value cannot be read: {error}") from error


def _check_parts(text: str) -> None:
    """Refuse what would take more than its length: aliases of aliases, and lists in lists without end."""
    sizes, anchors, names = [0], dict[str, int](), list[str | None]()
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in names:
                raise yaml.YAMLError(f"the alias {event.anchor!r} stands within what it names")
            sizes[-1] += anchors.get(event.anchor, 0)
        elif isinstance(event, yaml.ScalarEvent):
            sizes[-1] += 1
            anchors |= {event.anchor: 1} if event.anchor else {}
        elif isinstance(event, yaml.CollectionStartEvent):
            sizes.append(1)
            names.append(event.anchor)
            if len(names) > MOST_DEPTH:
                raise yaml.YAMLError(f"nested deeper than {MOST_DEPTH}")
        elif isinstance(event, yaml.CollectionEndEvent):
            size, name = sizes.pop(), names.pop()
            sizes[-1] += size
            anchors |= {name: size} if name else {}
        if sizes[-1] > MOST_PARTS:
            raise yaml.YAMLError(f"more than {MOST_PARTS} values")


def dump_yaml(data: Any) -> str:
    """Plain data as YAML that `read_yaml` reads back as it was: the text ``1e-4`` stays a text.

    Raises:
        yaml.YAMLError: if something in it is not plain data.
    """
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    if any(end in text for end in "\x85\u2028\u2029"):  # ends of lines to YAML 1.1, which it does not give back
        text = yaml.dump(data, Dumper=_Dumper, sort_keys=False)
    return text


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file of data.

    Raises:
        InputError: if it cannot be read, is no text, or is larger than `MOST_BYTES`.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputError(f"{path} is larger than {MOST_BYTES // 2**20} MB")
        return content.decode("utf-8-sig")
    except (OSError, ValueError) as error:  # a path with a zero byte in it, or what is not UTF-8
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        InputError: if the file is missing or not YAML, or is not a mapping with text keys.
    """
    try:
        data = parse_yaml(read_text(path))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise InputError(f"{path} is not a mapping from keys to values")
    return data


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The mapping in a JSON file.

    Raises:
        InputError: if the file is missing or not JSON, is nested too deep, or is no mapping.
    """
    data = parse_json(read_text(path), str(path))
    if not isinstance(data, dict):
        raise InputError(f"{path} is not a mapping from keys to values")
    return data


def parse_json(text: str, where: str) -> Any:
    """What a text says in JSON.

    Args:
        text: To be read.
        where: It stands, for the message.

    Raises:
        InputError: if it is not JSON, or nested deeper than `MOST_DEPTH`.
    """
    try:
        data = json.loads(text)
        _check_depth(data)
        return data
    except DAMAGE as error:
        raise InputError(f"{where} is not readable: {' '.join(str(error).split())}") from error


def _check_depth(data: Any) -> None:
    level = [data]
    for _ in range(MOST_DEPTH + 1):
        inner = [part for part in level if isinstance(part, dict | list)]
        level = [value for part in inner for value in (part.values() if isinstance(part, dict) else part)]
        if not level:
            return
    raise ValueError(f"nested deeper than {MOST_DEPTH}")


def read_xml(path: str | os.PathLike[str]) -> ElementTree.Element:
    """The root of an XML file.

    Raises:
        InputError: if the file is missing, too large, or not XML.
    """
    try:
        return ElementTree.fromstring(read_text(path))
    except (ElementTree.ParseError, *DAMAGE) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not valid XML: {error}") from error


@contextmanager
def content_of(path: object, what: str) -> Iterator[None]:
    """What a damaged file raises inside, where its content is used, is told in one line.

    Args:
        path: The file or the folder.
        what: It should be, as ``a training``.

    Raises:
        InputError: for whatever damage raises; one that is raised inside passes as it is.
    """
    try:
        yield
    except InputError:
        raise
    except DAMAGE as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: cannot be read as {what} ({told})") from error
