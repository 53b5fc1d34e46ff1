"""What the gate's benchmark measures: each takes landed files and says what it found. Measuring is gate.py's job."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import orjson
import xxhash
import yaml
from isal import igzip

from contracts.derive.json_schema import REAL_DAY, TIME, strict_json_schema
from contracts.model import Contract, LogicalType, RuleKind, frame_path
from contracts.read import FOLDER, read_contracts
from validation.envelope import Envelope, parse_line
from validation.frames import KINDS_OF_TYPE, Flattener, JsonKind

BLOCK_BYTES: Final = 1 << 20
CHUNK_LINES: Final = 5_000
DATACONTRACT: Final = Path(__file__).resolve().parents[2] / ".venv-judges" / "bin" / "datacontract"

#: The lines that were found wrong, as `<file name>:<line>`.
Found = set[str]


def contract() -> Contract:
    """The contract whose rules all contenders judge by."""
    return read_contracts()["launches"]


def lines(file: Path) -> Iterator[bytes]:
    """The lines of a gzipped file, without their ends."""
    rest = b""
    with igzip.IGzipFile(file, "rb") as plain:  # type: ignore[no-untyped-call]
        while block := plain.read(BLOCK_BYTES):
            found = (rest + block).split(b"\n")
            rest = found.pop()
            yield from found
    if rest:
        yield rest


def limit(files: Iterable[Path]) -> Callable[[], Found]:
    """The least that reading costs: gunzip, split, decode. Judges nothing."""

    def read() -> Found:
        for file in files:
            for line in lines(file):
                orjson.loads(line)
        return set()

    return read


class Gate:
    """The doorkeeper, and the judge for what it does not let through."""

    def __init__(self) -> None:
        from validation.doorkeeper import Doorkeeper
        from validation.judge import Judge

        self._keeper, self._judge = Doorkeeper(contract()), Judge(contract())
        self._key = contract().key.name

    def check(self, files: Iterable[Path], out: Path | None = None) -> set[str]:
        """The faulty lines of these files. With `out`, the files that have any are written there again without them."""
        known: dict[str, bytes] = {}
        wrong: set[str] = set()
        for file in files:
            numbers, kept = self._check_file(file, known, keeps=out is not None)
            wrong |= {f"{file.name}:{number}" for number in numbers}
            if out and numbers:
                (out / file.name).write_bytes(igzip.compress(b"\n".join(kept), compresslevel=1))
        return wrong

    def _check_file(self, file: Path, known: dict[str, bytes], *, keeps: bool) -> tuple[set[int], list[bytes]]:
        opens_for, key = self._keeper.opens_for, self._key
        wrong: set[int] = set()
        doubtful: list[tuple[int, bytes]] = []
        kept: list[bytes] = []
        for number, line in enumerate(lines(file), start=1):
            record = opens_for(line)
            if record is None:
                doubtful.append((number, line))
            elif not _is_first(known, record[key], line):
                wrong.add(number)
            elif keeps:
                kept.append(line)
        return wrong | _judged(self._judge, doubtful), kept


def _is_first(known: dict[str, bytes], key: str, line: bytes) -> bool:
    """Whether no other record of that key came before. Equal records of a key come in equal bytes."""
    content = xxhash.xxh3_128_digest(line[line.find(b'"_airbyte_data"') :])
    return known.setdefault(key, content) is content


def _judged(judge: Any, numbered: Iterable[tuple[int, bytes]]) -> set[int]:
    """The numbers of the lines that hold no record or one that breaks a rule."""
    opened = [(number, parse_line(line)) for number, line in numbered]
    read = [(number, one.record) for number, one in opened if isinstance(one, Envelope)]
    broken = judge.judge([record for _, record in read])
    return {number for number, one in opened if not isinstance(one, Envelope)} | {
        number for (number, _), found in zip(read, broken, strict=True) if found
    }


def gate(files: Iterable[Path]) -> Callable[[], Found]:
    """The gate, writing nothing: what a clean object costs."""
    made = Gate()
    return lambda: made.check(files)


def gate_with_rewrite(files: Iterable[Path]) -> Callable[[], Found]:
    """The gate, writing again each object that has faulty lines, without them."""
    made = Gate()

    def check() -> Found:
        with tempfile.TemporaryDirectory() as out:
            return made.check(files, Path(out))

    return check


def gate_in_two_processes(files: Iterable[Path]) -> Callable[[], Found]:
    """The gate in two processes, half of the files each."""
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_make_gate)
    list(pool.map(_wait, range(2)))
    halves = [list(files)[::2], list(files)[1::2]]
    return lambda: set[str]().union(*pool.map(_check_half, halves))


_gates: list[Gate] = []  # of a pool's process


def _make_gate() -> None:
    _gates.append(Gate())


def _wait(_: int) -> None:
    time.sleep(1)  # so that each process gets one of these, and has made its gate


def _check_half(files: list[Path]) -> set[str]:
    return _gates[0].check(files)


def judge_alone(files: Iterable[Path]) -> Callable[[], Found]:
    """pandera on Polars for every line: the judge without its doorkeeper."""
    from validation.judge import Judge

    judge = Judge(contract())

    def check() -> Found:
        wrong: set[str] = set()
        for file in files:
            numbered = enumerate(lines(file), start=1)
            while chunk := list(islice(numbered, CHUNK_LINES)):
                wrong |= {f"{file.name}:{number}" for number in _judged(judge, chunk)}
        return wrong

    return check


def json_schema(files: Iterable[Path]) -> Callable[[], Found]:
    """jsonschema-rs with the same rules, all errors of each record; no rules across fields, no keys."""
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions()
    validator = jsonschema_rs.Draft4Validator(strict_json_schema(contract()), pattern_options=options)

    def check() -> Found:
        wrong: set[str] = set()
        for file in files:
            for number, line in enumerate(lines(file), start=1):
                try:
                    record = orjson.loads(line)["_airbyte_data"]
                except orjson.JSONDecodeError:
                    wrong.add(f"{file.name}:{number}")
                    continue
                if list(validator.iter_errors(record)):
                    wrong.add(f"{file.name}:{number}")
        return wrong

    return check


def great_expectations(files: Iterable[Path]) -> Callable[[], Found]:
    """Great Expectations on pandas, over the judge's own frames: one expectation a rule, complete results."""
    import great_expectations as gx
    import pandas as pd  # type: ignore[import-untyped]
    from great_expectations.data_context.types.base import ProgressBarsConfig

    of = contract()
    flattener = Flattener(of)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("bench")

    def check() -> Found:
        wrong: set[str] = set()
        for file in files:
            opened = [(number, parse_line(line)) for number, line in enumerate(lines(file), start=1)]
            read = [(number, one.record) for number, one in opened if isinstance(one, Envelope)]
            wrong |= {f"{file.name}:{number}" for number, one in opened if not isinstance(one, Envelope)}
            for path, frame in flattener.flatten([record for _, record in read]).items():
                expectations = list(_expectations(of, path))
                asset = source.add_dataframe_asset(f"{file.name}-{path}")
                columns = pd.DataFrame(frame.data.to_dict(as_series=False))
                batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": columns})
                suite = gx.ExpectationSuite(f"{file.name}-{path}", expectations=expectations)
                for one in batch.validate(suite, result_format="COMPLETE").results:
                    for row in one.result.get("unexpected_index_list") or ():
                        wrong.add(f"{file.name}:{read[frame.places[row][0]][0]}")
        return wrong

    return check


def datacontract(files: Iterable[Path]) -> Callable[[], Found] | None:
    """datacontract-cli, its start included, on records without envelope: it takes no envelope and no gzip.

    None where it is not installed with what it reads files by (DuckDB). It says how many checks failed and not which
    records, so nothing is found here.
    """
    if not DATACONTRACT.exists() or not list(DATACONTRACT.parents[1].glob("lib/*/site-packages/duckdb")):
        return None
    folder = Path(tempfile.mkdtemp(prefix="spacex-elt-bench-"))
    with (folder / "launches.json").open("wb") as plain:
        for file in files:
            plain.writelines(orjson.dumps(orjson.loads(line)["_airbyte_data"]) + b"\n" for line in lines(file))
    told = yaml.safe_load((FOLDER / contract().file_name).read_text(encoding="utf-8"))
    server = {"server": "bench", "type": "local", "format": "json", "delimiter": "new_line"}
    told["servers"] = [{**server, "path": str(folder / "launches.json")}]
    (folder / "contract.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    command = [str(DATACONTRACT), "test", "contract.yaml", "--server", "bench", "--no-inline-references"]
    environment = {**os.environ, **dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"], "http://127.0.0.1:1")}

    def check() -> Found:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return set()

    return check


def _expectations(of: Contract, frame: str) -> Iterator[Any]:
    """The rules that are judged in one frame."""
    from great_expectations import expectations as great

    for rule in of.rules:
        if frame_path(rule.path) == frame and rule.kind in _GREAT:
            name, column, arguments = _GREAT[rule.kind]
            yield getattr(great, name)(column=f"{rule.path}:{column}", **arguments(rule.argument))


def _shape(form: LogicalType) -> dict[str, Any]:
    return {"regex": rf"\A(?:{REAL_DAY + TIME if form is LogicalType.TIMESTAMP else REAL_DAY})\Z"}


def _least(bound: Any) -> dict[str, Any]:
    return {"min_value": bound}


def _most(bound: Any) -> dict[str, Any]:
    return {"max_value": bound}


_SILENT: Final = {JsonKind.NO_PARENT, JsonKind.MISSING, JsonKind.NULL}

# Great Expectations' name of each rule, on which column of the path, with what.
_GREAT: Final[Mapping[RuleKind, tuple[str, str, Callable[[Any], dict[str, Any]]]]] = {
    RuleKind.TYPE: (
        "ExpectColumnValuesToBeInSet",
        "kind",
        lambda expected: {"value_set": sorted(KINDS_OF_TYPE[expected] | _SILENT)},
    ),
    RuleKind.REQUIRED: ("ExpectColumnValuesToNotBeInSet", "kind", lambda _: {"value_set": [1, 2]}),
    RuleKind.PATTERN: (
        "ExpectColumnValuesToMatchRegex",
        "value",
        lambda pattern: {"regex": rf"\A(?:{pattern})\Z"},
    ),
    RuleKind.FORMAT: ("ExpectColumnValuesToMatchRegex", "value", _shape),
    RuleKind.ENUM: ("ExpectColumnValuesToBeInSet", "value", lambda allowed: {"value_set": list(allowed)}),
    RuleKind.MINIMUM: ("ExpectColumnValuesToBeBetween", "value", _least),
    RuleKind.MIN_ITEMS: ("ExpectColumnValuesToBeBetween", "value", _least),
    RuleKind.MAXIMUM: ("ExpectColumnValuesToBeBetween", "value", _most),
    RuleKind.MAX_ITEMS: ("ExpectColumnValuesToBeBetween", "value", _most),
    RuleKind.MIN_LENGTH: ("ExpectColumnValueLengthsToBeBetween", "value", _least),
    RuleKind.MAX_LENGTH: ("ExpectColumnValueLengthsToBeBetween", "value", _most),
    RuleKind.MAX_BYTES: ("ExpectColumnValueLengthsToBeBetween", "value", _most),
    RuleKind.UNKNOWN_FIELD: ("ExpectColumnValuesToBeNull", "value", lambda _: {}),
    RuleKind.UNIQUE: ("ExpectColumnValuesToBeUnique", "value", lambda _: {}),
}
