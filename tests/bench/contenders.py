"""What the gate's benchmark measures: each takes landed files and says what it found. Measuring is gate.py's job."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import orjson
import yaml
from isal import igzip

from contracts.derive.json_schema import TIME, json_schema
from contracts.model import Contract, DriftPolicy, LogicalType, Rule, RuleKind, Severity, frame_path
from contracts.read import FOLDER, read_contracts
from loader.lines import GzipWriter, landed_lines
from validation.compiled_types import REAL_DAY
from validation.envelope import Envelope, parse_line
from validation.frames import KINDS_OF_TYPE, Flattener, JsonKind
from validation.results import ObjectCounts, Rejection
from validation.uniqueness import ObjectMemory

BLOCK_BYTES: Final = 1 << 20
CHUNK_LINES: Final = 5_000
DATACONTRACT: Final = Path(__file__).resolve().parents[2] / ".venv-judges" / "bin" / "datacontract"

#: The lines that were found wrong, as `<file name>:<line>`.
Found = set[str]


def contract() -> Contract:
    """The contract whose rules all contenders judge by. Here every rule rejects, so that each finding has a line."""
    of = read_contracts()["launches"]
    return replace(of, rules=tuple(map(_rejecting, of.rules)))


def _rejecting(rule: Rule) -> Rule:
    argument = DriftPolicy.QUARANTINE if rule.kind is RuleKind.UNKNOWN_FIELD else rule.argument
    return replace(rule, severity=Severity.ERROR, argument=argument)


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
    """The raw gate with its doorkeeper."""

    def __init__(self) -> None:
        from validation.doorkeeper import Doorkeeper
        from validation.raw_gate import RawGate
        from validation.set_checks import unique_names

        self._gate = RawGate(contract(), Doorkeeper(contract()))
        self._gate.violations([Envelope({}, ())])  # imports and makes the judge
        self._unique_names = unique_names(contract())

    def check(self, files: Iterable[Path], out: Path | None = None) -> set[str]:
        """The faulty lines of these files. With `out`, the files that have any are written there again without them."""
        return set[str]().union(*(self._check_file(file, out) for file in files))

    def _check_file(self, file: Path, out: Path | None) -> set[str]:
        with tempfile.TemporaryFile() as rows, file.open("rb") as landed:
            sink = _Sink(file, out)
            memory = ObjectMemory(rows, self._unique_names)
            self._gate.check_object(file.name, landed_lines(landed), memory, sink)
        return {f"{file.name}:{number}" for number in sink.rejected}


class _Sink:
    """Writes an object again once a line of it is left out, and quarantine, as the gate step does."""

    def __init__(self, file: Path, out: Path | None) -> None:
        self.rejected: list[int] = []
        self._file = file
        self._out = out
        self._writers: dict[str, GzipWriter] = {}
        self._files = ExitStack()

    def accept(self, object_key: str, line: bytes) -> None:
        if self._writers:
            self._writers["accepted"].write_line(line)

    def leave_out(self, object_key: str, line_count: int, left_out: Collection[int]) -> None:
        if self._out is None:
            return
        for name in ("accepted", "rejected"):
            file = self._files.enter_context((self._out / f"{self._file.name}-{name}").open("wb"))
            self._writers[name] = GzipWriter(file)
        with self._file.open("rb") as landed:
            for number, line in enumerate(landed_lines(landed), start=1):
                if number not in left_out and isinstance(line, bytes):
                    self._writers["accepted"].write_line(line)
                if number == line_count:
                    return

    def reject(self, rejection: Rejection) -> None:
        self.rejected.append(rejection.line_number)
        if self._writers:
            told = {"raw": rejection.raw.decode(errors="replace"), "violations": rejection.violations}
            self._writers["rejected"].write_line(orjson.dumps(told))

    def finish_object(self, counts: ObjectCounts) -> None:
        for writer in self._writers.values():
            writer.close()
        self._files.close()


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


def json_schema_alone(files: Iterable[Path]) -> Callable[[], Found]:
    """jsonschema-rs with the contract's JSON Schema, all errors of each record; no rules across fields, no keys."""
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions()
    validator = jsonschema_rs.Draft202012Validator(
        json_schema(contract()), validate_formats=True, pattern_options=options
    )

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
