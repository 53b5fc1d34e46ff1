"""Owns the inside of CREATE TABLE: columns, constraints, and how Redshift is to lay the table out. Types: types.py.

Keys are accepted and not enforced, as on Redshift. The layout has no meaning to PostgreSQL; it is handed to it in a
comment, from which an event trigger keeps it for the catalog (catalog.sql).
"""

import json
from dataclasses import dataclass, field

from local.redshift.sql.dml import translate_default
from local.redshift.sql.lexing import Kind, literal, quote
from local.redshift.sql.reader import Reader
from local.redshift.sql.refusal import DUPLICATE_COLUMN, UNDEFINED_COLUMN, Refused, not_supported, syntax_error
from local.redshift.sql.scopes import SYSTEM_COLUMNS
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


_MOST_SORT_COLUMNS = 400
_DIGITS_OF_64_BITS = 19
_LARGEST_OF_64_BITS = 2**63 - 1
_MOST_INTERLEAVED = 8
_NO_KEYS = {"super", "varbyte"}  # types by which nothing is distributed or sorted


@dataclass(slots=True)
class Attributes:
    """How Redshift would lay a table out, and which columns are keys."""

    diststyle: str | None = None
    distkey: str | None = None
    sortkey: list[str] = field(default_factory=list)
    is_interleaved: bool = False
    encodings: dict[str, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)  # columns of primary, unique and foreign keys
    has_primary_key: bool = False

    def check(self, types: dict[str, str] | None = None) -> None:
        """Refuse what does not fit together. `types` are the columns', None where only the database knows them."""
        if self.diststyle == "key" and self.distkey is None:
            raise syntax_error("DISTSTYLE KEY needs a DISTKEY column")
        if self.diststyle is not None and self.diststyle != "key" and self.distkey is not None:
            raise syntax_error(f"DISTKEY does not go with DISTSTYLE {self.diststyle.upper()}")
        most = _MOST_INTERLEAVED if self.is_interleaved else _MOST_SORT_COLUMNS
        if len(self.sortkey) > most:
            raise syntax_error(f"a sort key of {len(self.sortkey)} columns: {most} are the most")
        for name in (*([self.distkey] if self.distkey else []), *self.sortkey):
            if types is None:
                continue
            if name not in types:
                raise Refused(f'column "{name}", the key of the table, does not exist', sqlstate=UNDEFINED_COLUMN)
            if types[name] in _NO_KEYS:
                raise not_supported(f'the {types[name].upper()} column "{name}" as a distribution or sort key')

    def take_distkey(self, name: str) -> None:
        """Note the distribution key, of which there is one."""
        if self.distkey is not None:
            raise syntax_error("a table has one DISTKEY column")
        self.distkey = name

    def take_primary_key(self, names: list[str]) -> None:
        """Note the primary key, of which there is one."""
        if self.has_primary_key:
            raise syntax_error("a table has one primary key")
        self.has_primary_key = True
        self.keys.extend(names)

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
            names = reader.names_in_parentheses() if reader.looks_at("(") else [reader.name()]
            if len(names) > 1:
                raise syntax_error("a table has one DISTKEY column")
            self.take_distkey(names[0])
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
            "diststyle": "key" if self.distkey else self.diststyle,
            "distkey": self.distkey,
            "sortkey": self.sortkey,
            "interleaved": self.is_interleaved,
            "encodings": self.encodings,
            "keys": self.keys,
        }
        if not any(kept.values()):
            return ""
        text = json.dumps({"table": table, **kept})
        if "*/" in text or "/*" in text:
            raise not_supported("a comment mark in a column's name")
        return f"/*redshift:{text}*/ "


def column_type(reader: Reader) -> RedshiftType:
    """Read a type as a table definition writes it."""
    if reader.here is not None and reader.here.kind is Kind.QUOTED:  # "char" is a type of PostgreSQL's own
        raise not_supported(f'the type "{reader.word()}", in quotes')
    name = reader.word()
    for words in _TWO_WORD_TYPES.get(name, ()):
        if reader.take(*words):
            name = " ".join((name, *words))
            break
    parameters: list[str] = []
    if reader.take("("):
        parameters.append(reader.take_kind(Kind.NUMBER) or reader.word())
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


def column(reader: Reader, attributes: Attributes) -> tuple[str, str, str]:
    """Read a column's definition; return its name, the name of its type and what PostgreSQL gets after the name."""
    name = reader.name()
    if name in SYSTEM_COLUMNS:
        raise Refused(f'column name "{name}" conflicts with a system column name', sqlstate=DUPLICATE_COLUMN)
    kind = column_type(reader)
    parts = [kind.postgres]
    while word := reader.take_one_of(*_COLUMN_WORDS):
        part = _column_attribute(reader, word, name, attributes)
        if part and part not in parts:
            parts.append(part)
    if "NULL" in parts and any(part == "NOT NULL" or part.startswith("GENERATED") for part in parts):
        raise syntax_error(f'column "{name}" is declared both NULL and NOT NULL')
    if any(part.startswith("GENERATED") for part in parts) and kind.name not in ("integer", "bigint"):
        raise syntax_error(f'the identity column "{name}" is neither INT nor BIGINT')
    checks = [check for check in (byte_check(name, kind)[0], _range_check(name, kind)) if check]
    return name, kind.name, " ".join([*(part for part in parts if part != "NULL"), *checks])


def _range_check(name: str, kind: RedshiftType) -> str:
    """Return the constraint on DECIMALs of 19 digits, which Redshift keeps in 64 bits."""
    if kind.decimal is None or kind.decimal[0] != _DIGITS_OF_64_BITS:
        return ""
    largest = f"{_LARGEST_OF_64_BITS}e-{kind.decimal[1]}"
    overflow = f"redshift.too_large({literal(name)}, {quote(name)})"
    return (
        f"CONSTRAINT {quote(f'{name[:50]}_range')} CHECK (CASE WHEN abs({quote(name)}) > {largest} THEN {overflow} END)"
    )


def _column_attribute(reader: Reader, word: str, name: str, attributes: Attributes) -> str:  # noqa: PLR0912
    result = ""
    if word == "default" and reader.take("null"):
        result = "DEFAULT NULL"
    elif word == "default":
        result = f"DEFAULT {translate_default(reader.text_until(*_COLUMN_WORDS))}"
    elif word in ("identity", "generated"):
        result = _identity(reader, word)
    elif word == "encode":
        encoding = reader.word()
        if encoding not in _ENCODINGS:
            raise syntax_error(f'the encoding "{encoding}" does not exist')
        attributes.encodings[name] = encoding
    elif word == "distkey":
        attributes.take_distkey(name)
    elif word == "sortkey":
        attributes.sortkey.append(name)
    elif word == "collate":
        if not reader.take("case_sensitive"):
            raise not_supported(f"COLLATE {reader.word()}")
    elif word == "not":
        reader.expect("null")
        result = "NOT NULL"
    elif word == "null":
        result = "NULL"
    elif word == "unique":
        attributes.keys.append(name)
    elif word == "primary":
        reader.expect("key")
        attributes.take_primary_key([name])
        result = "NOT NULL"
    elif word == "references":
        attributes.keys.append(name)
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


def table_constraint(reader: Reader, attributes: Attributes, key: list[str]) -> bool:
    """Read a table constraint if one comes next, and note the primary key's columns. It is not enforced."""
    if reader.looks_at("constraint"):
        reader.expect("constraint")
        reader.name()
    elif not (reader.looks_at("primary", "key") or reader.looks_at("unique", "(") or reader.looks_at("foreign", "key")):
        return False
    if reader.take("primary", "key"):
        names = reader.names_in_parentheses()
        attributes.take_primary_key(names)
        key.extend(names)
    elif reader.take("unique"):
        attributes.keys.extend(reader.names_in_parentheses())
    elif reader.take("foreign", "key"):
        attributes.keys.extend(reader.names_in_parentheses())
        reader.expect("references")
        reader.qualified()
        if reader.looks_at("("):
            reader.names_in_parentheses()
    else:
        raise not_supported("this kind of table constraint")
    return True
