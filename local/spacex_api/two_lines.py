"""Writes orbital elements in the old two-line form, column by column. The elements are satellites.py's to say."""

from collections.abc import Mapping
from typing import Any

from local.spacex_api import clock


def of(elements: Mapping[str, Any], at: int) -> dict[str, str]:
    """The three lines of a catalogued satellite whose elements were true at `at`; each ends with its check digit."""
    number = f"{elements['NORAD_CAT_ID'] % 100_000:05d}"
    designator = elements["OBJECT_ID"][2:].replace("-", "")
    first = (
        f"1 {number}U {designator:<8} {_epoch(at)} {_decimals(elements['MEAN_MOTION_DOT'])} "
        f"{_power(0)} {_power(elements['BSTAR'])} 0  {elements['ELEMENT_SET_NO']:3d}"
    )
    second = (
        f"2 {number} {elements['INCLINATION']:8.4f} {elements['RA_OF_ASC_NODE']:8.4f} "
        f"{round(elements['ECCENTRICITY'] * 1e7):07d} {elements['ARG_OF_PERICENTER']:8.4f} "
        f"{elements['MEAN_ANOMALY']:8.4f} {elements['MEAN_MOTION']:11.8f}{elements['REV_AT_EPOCH']:5d}"
    )
    return {"TLE_LINE0": f"0 {elements['OBJECT_NAME']}", "TLE_LINE1": _checked(first), "TLE_LINE2": _checked(second)}


def _epoch(at: int) -> str:
    """Two digits of the year, then its day with a fraction, from 1."""
    year = clock.year(at)
    days = (at - clock.epoch(f"{year}-01-01T00:00:00")) / 86_400 + 1
    return f"{year % 100:02d}{days:012.8f}"


def _decimals(value: float) -> str:
    """A number below one, without its zero: ` .00047180`."""
    return f"{'-' if value < 0 else ' '}{f'{abs(value):.8f}'[1:]}"


def _power(value: float) -> str:
    """Five decimals and a power of ten: ` 22139-2` is 0.22139e-2."""
    if value == 0:
        return " 00000-0"
    mantissa, _, exponent = f"{abs(value):.4e}".partition("e")
    return f"{'-' if value < 0 else ' '}{mantissa.replace('.', '')}{int(exponent) + 1:+d}"


def _checked(line: str) -> str:
    total = sum(int(char) if char.isdigit() else int(char == "-") for char in line)
    return f"{line}{total % 10}"
