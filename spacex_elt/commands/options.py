"""Owns the options that say which source a run reads, the same for every command that starts one."""

from typing import Annotated

import typer

Source = Annotated[str, typer.Option(help="sample (a simulator), live (the real API), or a folder.")]
Launches = Annotated[int, typer.Option(min=1, max=100_000, help="How many launches the sample has.")]
Seed = Annotated[int, typer.Option(help="The sample's seed: the same seed gives the same bytes.")]
Faults = Annotated[list[str] | None, typer.Option("--fault", help="Damage to the sample, such as wrong-type:1%.")]
Datasets = Annotated[list[str] | None, typer.Option("--dataset", help="Only these datasets (default: all there are).")]
