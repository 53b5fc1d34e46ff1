"""A contract with a rule of every kind, for tests that must meet them all."""

from pathlib import Path

from contracts.read import read_contract

FILE = Path(__file__).with_name("flights.odcs.yaml")
EVERY_KIND = read_contract(FILE)
