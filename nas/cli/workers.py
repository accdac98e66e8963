"""The command ``wirenas worker`` and the flags of campaigns of many workers; a part of `nas.cli.app`. No logic."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.console import Json, leaving_at_once, make_console, print_json, say

if TYPE_CHECKING:
    from nas.campaign.worker import WorkerOutcome

__all__ = ["Storage", "Study", "worker_commands"]

_URL = "postgresql://USER:PASSWORD@HOST/DATABASE"
_INTERRUPTED = "interrupted; what it was training is done by other workers"
_EVERY_S = 5.0

Storage = Annotated[
    str | None,
    typer.Option(metavar="URL", help=f"Share the search with `wirenas worker` in a database: {_URL}."),
]
Study = Annotated[
    str | None, typer.Option(metavar="NAME", help="The campaign's name in the storage. Default: the folder's name.")
]

worker_commands = typer.Typer()


@worker_commands.command()
def worker(
    *,
    storage: Annotated[str, typer.Option(metavar="URL", help=f"The campaign's database: {_URL}.")],
    study: Annotated[str, typer.Option(metavar="NAME", help="The campaign's name in it; see `wirenas run`.")],
    threads: Annotated[int, typer.Option(help="Trainings at a time.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Folder of the task's files on this machine.")] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for a database or campaign not there yet.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Join a campaign that `wirenas run --storage` has started, from any process or machine, until it is over.

    Example: wirenas worker --storage postgresql://me@host/trials --study digits
    """
    with leaving_at_once("interrupted"):
        from nas.campaign.worker import Worker

        console = make_console(stderr=True)
        last = time.monotonic()

        def watch(done: WorkerOutcome) -> None:
            nonlocal last
            if time.monotonic() - last >= _EVERY_S:
                last = time.monotonic()
                say(console, f"worker: {_summarize(done)}")

        def tell(missing: str) -> None:
            say(console, f"worker: {missing}")

        try:
            joined = Worker(storage, study, data=data, threads=threads, wait=wait, waiting=tell)
            done = joined.run(watch)
        except KeyboardInterrupt:
            print(f"wirenas: {_INTERRUPTED}", file=sys.stderr)
            sys.exit(130)
    print_json(done.to_json()) if as_json else say(make_console(), f"{study}: {_summarize(done)}.")


def _summarize(done: WorkerOutcome) -> str:
    return f"{done.trials} trials, {done.failed} failed, {done.seconds:.0f} s of training"
