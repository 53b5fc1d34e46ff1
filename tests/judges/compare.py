"""Asks datacontract-cli which of many changes break whom, in one process of its own environment.

Reads `[[old file, new file], …]` from stdin; prints, for each pair, what it finds breaking for consumers and producer.
"""

# mypy: ignore-errors
# Runs where none of our own environment is installed.

import json
import sys

from datacontract.data_contract import DataContract
from datacontract.model.breaking import BreakingChangeLevel, Perspective
from open_data_contract_standard.model import OpenDataContractStandard


def breaking(old: OpenDataContractStandard, new: OpenDataContractStandard, side: str) -> list[str]:
    """The rules of every change that breaks that side."""
    first, second = (DataContract(data_contract=contract, inline_references=False) for contract in (old, new))
    entries = first.breaking(second, perspective=Perspective(side)).entries
    return sorted({str(entry.rule_id) for entry in entries if entry.level == BreakingChangeLevel.ERROR})


if __name__ == "__main__":
    pairs = [[OpenDataContractStandard.from_file(name) for name in pair] for pair in json.load(sys.stdin)]
    json.dump([{side: breaking(*pair, side) for side in ("consumer", "producer")} for pair in pairs], sys.stdout)
