"""Owns the inside of CREATE TABLE: columns, constraints, and how Redshift is to lay the table out. Types: types.py.

Keys are accepted and not enforced, as on Redshift. The layout has no meaning to PostgreSQL; it is handed to it in a
comment, from which an event trigger keeps it for the catalog (catalog.sql).
"""

import json
from dataclasses import dataclass, field

from local.redshift.sql.dml import translate_default
from local.redshift.sql.lexing import Kind, literal, quote
from local.redshift.sql.reader import Reader
from local.redshift.sql.refusal import not_supported, syntax_error
from local.redshift.sql.types import LONGEST_VARCHAR, RedshiftType, resolve

_TWO_WORD_TYPES = {
    "double": (("precision",),),
    "character": (("varying",),),
    "binary": (("varying",),),
    "timestamp": (("with", "time", "zone"), ("without", "time", "zone")),
    "time": (("with", "time", "zone"), ("without", "time", "zone")),
}
_COLUMN_WORDS = (
    "default",
    "identity",
    "generated",
    "encode",
    "distkey",
    "sortkey",
    "collate",
    "not",
    "null",
    "unique",
    "primary",
    "references",
)
_ENCODINGS = {
    *("auto", "raw", "az64", "bytedict", "delta", "delta32k", "lzo", "mostly8", "mostly16", "mostly32"),
    *("runlength", "text255", "text32k", "zstd"),
}


@dataclass(slots=True)
class Attributes:
    """How Redshift would lay a table out."""

    diststyle: str | None = None
    distkey: str | None = None
    sortkey: list[str] = field(default_factory=list)
    is_interleaved: bool = False
    encodings: dict[str, str] = field(default_factory=dict)

    def read(self, reader: Reader) -> None:
        """Read all attributes that come next."""
        while self.read_one(reader):
            pass

    def read_one(self, reader: Reader) -> bool:
        """Read one attribute if it comes next."""
        if reader.take("backup"):
            if reader.take_one_of("yes", "no") is None:
                raise reader.unexpected("YES or NO")
        elif reader.take("diststyle"):
            self.diststyle = reader.take_one_of("even", "key", "all", "auto")
            if self.diststyle is None:
                raise reader.unexpected("a distribution style")
        elif reader.take("distkey"):
            self.distkey = reader.names_in_parentheses()[0] if reader.looks_at("(") else reader.name()
            self.diststyle = "key"
        elif reader.looks_at("compound", "sortkey") or reader.looks_at("interleaved", "sortkey"):
            self.is_interleaved = reader.take("interleaved")
            reader.take("compound")
            self._read_sortkey(reader)
        elif reader.looks_at("sortkey"):
            self._read_sortkey(reader)
        elif reader.take("encode", "auto"):
            pass
        else:
            return False
        return True

    def _read_sortkey(self, reader: Reader) -> None:
        reader.expect("sortkey")
        if reader.looks_at("("):
            self.sortkey = reader.names_in_parentheses()
        elif not reader.take("auto"):
            self.sortkey = [reader.name()]

    def note(self, table: str) -> str:
        """Write the table's attributes as a comment at the head of the statement, empty when there are none."""
        kept: dict[str, object] = {
            "diststyle": self.diststyle,
            "distkey": self.distkey,
            "sortkey": self.sortkey,
            "interleaved": self.is_interleaved,
            "encodings": self.encodings,
        }
        if not any(kept.values()):
            return ""
        text = json.dumps({"table": table, **kept})
        if "*/" in text or "/*" in text:
            raise not_supported("a comment mark in a column's name")
        return f"/*redshift:{text}*/ "


def column_type(reader: Reader) -> RedshiftType:
    """Read a type as a table definition writes it."""
    name = reader.name()
    for words in _TWO_WORD_TYPES.get(name, ()):
        if reader.take(*words):
            name = " ".join((name, *words))
            break
    parameters: list[str] = []
    if reader.take("("):
        parameters.append(reader.take_kind(Kind.NUMBER) or reader.name())
        while reader.take(","):
            parameters.append(reader.expect_kind(Kind.NUMBER))
        reader.expect(")")
    if reader.looks_at("["):
        raise not_supported(f"the type {name}[]")
    return resolve(name, tuple(parameters), in_table=True)


def byte_check(name: str, kind: RedshiftType) -> tuple[str, str]:
    """Return the constraint that counts bytes, as Redshift does, and its name. PostgreSQL's types count characters."""
    constraint = quote(f"{name[:50]}_bytes")
    if kind.length is None or kind.length == LONGEST_VARCHAR:
        return "", constraint
    column_name = quote(name)
    octets = f"octet_length({column_name})"
    overflow = f"redshift.too_long({literal(name)}, {kind.length}, {octets})"
    return f"CONSTRAINT {constraint} CHECK (CASE WHEN {octets} > {kind.length} THEN {overflow} END)", constraint


def column(reader: Reader, attributes: Attributes) -> tuple[str, str]:
    """Read a column's definition; return its name and what PostgreSQL gets after the name."""
    name = reader.name()
    kind = column_type(reader)
    parts = [kind.postgres]
    while word := reader.take_one_of(*_COLUMN_WORDS):
        part = _column_attribute(reader, word, name, attributes)
        if part and part not in parts:
            parts.append(part)
    if kind.name == "super" and name in (attributes.distkey, *attributes.sortkey):
        raise not_supported(f'the SUPER column "{name}" as a distribution or sort key')
    check, _ = byte_check(name, kind)
    return name, " ".join([*parts, check] if check else parts)


def _column_attribute(reader: Reader, word: str, name: str, attributes: Attributes) -> str:
    result = ""
    if word == "default":
        result = f"DEFAULT {translate_default(reader.text_until(*_COLUMN_WORDS))}"
    elif word in ("identity", "generated"):
        result = _identity(reader, word)
    elif word == "encode":
        encoding = reader.name()
        if encoding not in _ENCODINGS:
            raise syntax_error(f'the encoding "{encoding}" does not exist')
        attributes.encodings[name] = encoding
    elif word == "distkey":
        attributes.distkey, attributes.diststyle = name, "key"
    elif word == "sortkey":
        attributes.sortkey.append(name)
    elif word == "collate":
        if not reader.take("case_sensitive"):
            raise not_supported(f"COLLATE {reader.name()}")
    elif word == "not":
        reader.expect("null")
        result = "NOT NULL"
    elif word == "primary":
        reader.expect("key")
        result = "NOT NULL"
    elif word == "references":
        reader.qualified()
        if reader.looks_at("("):
            reader.names_in_parentheses()
    return result


def _identity(reader: Reader, word: str) -> str:
    kind = "ALWAYS"
    if word == "generated":
        reader.expect("by", "default", "as", "identity")
        kind = "BY DEFAULT"
    reader.expect("(")
    seed = reader.expect_kind(Kind.NUMBER)
    reader.expect(",")
    step = reader.expect_kind(Kind.NUMBER)
    reader.expect(")")
    return f"GENERATED {kind} AS IDENTITY (START WITH {seed} INCREMENT BY {step})"


def table_constraint(reader: Reader, key: list[str]) -> bool:
    """Read a table constraint if one comes next, and note the primary key's columns. It is not enforced."""
    if reader.looks_at("constraint"):
        reader.expect("constraint")
        reader.name()
    elif not (reader.looks_at("primary", "key") or reader.looks_at("unique", "(") or reader.looks_at("foreign", "key")):
        return False
    if reader.take("primary", "key"):
        key.extend(reader.names_in_parentheses())
    elif reader.take("unique"):
        reader.names_in_parentheses()
    elif reader.take("foreign", "key"):
        reader.names_in_parentheses()
        reader.expect("references")
        reader.qualified()
        if reader.looks_at("("):
            reader.names_in_parentheses()
    else:
        raise not_supported("this kind of table constraint")
    return True
