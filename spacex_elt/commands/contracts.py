"""Owns the commands about contracts: check, show, derive from them, make samples. None of them needs a service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacex_elt.commands.contracts_diff import contracts_diff
from spacex_elt.commands.contracts_infer import contracts_infer
from spacex_elt.commands.contracts_shadow import contracts_shadow
from spacex_elt.commands.output import AsJson, print_result, results
from spacex_elt.console import print_line, stderr_console
from spacex_elt.derived import Kind

if TYPE_CHECKING:
    from contracts.model import Contract

app = typer.Typer(no_args_is_help=True)
app.command("diff")(contracts_diff)
app.command("infer")(contracts_infer)
app.command("shadow")(contracts_shadow)

DatasetOrFile = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset, or the file of a contract.")]


def find_contract(name: str) -> "Contract":
    """The contract of a dataset, or that in a file named `<dataset>.odcs.yaml`."""
    from contracts.read import FOLDER, SUFFIX, read_contract

    return read_contract(Path(name) if name.endswith(SUFFIX) else FOLDER / f"{name}{SUFFIX}")


@app.command("lint")
def contracts_lint(
    paths: Annotated[list[Path] | None, typer.Argument(help="Contract files (default: all of the product's).")] = None,
) -> None:
    """Check contracts against the ODCS schema, odcslint and our own rules. Ends with 10 when one is wrong.

    Example: spacex-elt contracts lint
    """
    from contracts.errors import ContractInvalid
    from contracts.lint import lint
    from contracts.read import FOLDER

    chosen = paths or sorted(FOLDER.glob("*.odcs.yaml"))
    findings = lint(chosen)
    for finding in findings:
        stderr_console().print(str(finding), soft_wrap=True, markup=False)
    if findings:
        raise ContractInvalid(f"{len(findings)} findings in {len(chosen)} contracts; each is above with file and line.")
    stderr_console().print(f"{len(chosen)} contracts are right.")


@app.command("show")
def contracts_show(dataset: DatasetOrFile, as_json: AsJson = False) -> None:
    """Show a contract in plain words: what the dataset is, whose, what is promised, its columns and rules.

    Example: spacex-elt contracts show launches
    """
    from spacex_elt import contract_report

    contract = find_contract(dataset)
    if as_json:
        print_result(contract_report.contract_as_json(contract))
    else:
        contract_report.print_contract(results(), contract)


@app.command("coverage")
def contracts_coverage(
    dataset: Annotated[str | None, typer.Argument(help="A dataset, or the file of a contract (default: all).")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which gate enforces which rule. Ends with 10 when a rule is enforced by none.

    Example: spacex-elt contracts coverage launches
    """
    from contracts.coverage import refuse_holes
    from contracts.read import read_contracts
    from spacex_elt import contract_report

    chosen = [find_contract(dataset)] if dataset else list(read_contracts().values())
    if as_json:
        print_result(contract_report.coverage_as_json(chosen))
    else:
        contract_report.print_coverage(results(), chosen)
    refuse_holes(chosen)


@app.command("derive")
def contracts_derive(
    dataset: Annotated[str, typer.Argument(help="A dataset, the file of a contract, or `all`.")],
    kind: Annotated[Kind, typer.Argument(help="What to derive.")],
) -> None:
    """Print what follows from a contract: tables, COPY's paths, each gate's checks, dbt's sources, the data dictionary.

    Example: spacex-elt contracts derive launches ddl
    """
    from contracts.read import read_contracts
    from spacex_elt.derived import derive

    chosen = list(read_contracts().values()) if dataset == "all" else [find_contract(dataset)]
    print_line(derive(kind, chosen).removesuffix("\n"))


@app.command("sample")
def contracts_sample(
    dataset: DatasetOrFile,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many records.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same records.")] = 42,
    breaking: Annotated[str, typer.Option(metavar="RULE_ID", help="Records that break this rule and no other.")] = "",
    breaking_each: Annotated[
        bool, typer.Option("--breaking-each", help="For every rule, records that break it.")
    ] = False,
    envelope: Annotated[bool, typer.Option("--envelope", help="As Airbyte lands them.")] = False,
) -> None:
    """Make records from a contract, one JSON object a line: good ones, or ones that break a rule on purpose.

    Example: spacex-elt contracts sample launches --breaking date_utc-format --envelope
    """
    from contracts.errors import UsageError
    from spacex_elt import samples

    contract = find_contract(dataset)
    if breaking and breaking_each:
        raise UsageError("--breaking and --breaking-each exclude each other: one rule, or every one.")
    if breaking_each:
        made = samples.breaking_each(contract, seed, as_landed=envelope)
    elif breaking:
        made = samples.breaking(contract, breaking, seed, as_landed=envelope)
    else:
        made = samples.good(contract, count, seed, as_landed=envelope)
    for record in made:
        print_result(record)
