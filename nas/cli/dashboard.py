"""The command ``wirenas dashboard``; a part of `nas.cli.app`. Parse, call, print; no logic."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from nas.cli.console import Json, make_console, print_json, say

__all__ = ["dashboard_commands"]

dashboard_commands = typer.Typer()


@dashboard_commands.command()
def dashboard(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A campaign's folder.", show_default=False)],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0: a free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen at. Default: for this machine alone.")] = "127.0.0.1",
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
    as_json: Json = False,
) -> None:
    """Open a campaign in optuna-dashboard, with a note on every trial; trials appear as they are done.

    The campaign may be running, and is not changed. Ctrl-C ends the dashboard, with exit code 0.

    With --json no browser is opened, and the object is printed as soon as pages are served.

    Example: wirenas dashboard results/digits
    """
    from nas.dashboard import serve

    def ready(url: str, page: str) -> None:
        if as_json:
            print_json({"url": url, "page": page})
            return
        say(make_console(), f"{page}   Ctrl-C ends it")
        if show and _has_screen():
            webbrowser.open(page)

    serve(out, host, port, ready)


def _has_screen() -> bool:
    """Whether a browser has a window to open; elsewhere one would take the terminal."""
    return sys.platform in ("darwin", "win32") or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
