"""Records made from a contract, for tests: what contracts/sample.py and contracts/specimens.py make."""

from contracts.plain_judge import Record
from contracts.sample import good_record
from contracts.specimens import UNKNOWN_NAME, Specimen, bad_records

__all__ = ["UNKNOWN_NAME", "Record", "Specimen", "bad_records", "good_record"]
