"""The command ``wirenas``, also as ``python -m wirenas``: leads to the command line of nas."""

# What `signal` is made of, without the enums around it, which take longer than all else until Ctrl-C is answered.
import _signal  # type: ignore[import-not-found]
import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit, with 2 and one line if another project's packages are in the way."""
    _signal.signal(_signal.SIGINT, _leave)
    from wirenas import require_own

    try:
        require_own("priors", "predictors", "nas")
    except ImportError as error:
        print(f"wirenas: {error}", file=sys.stderr)
        sys.exit(2)
    from nas.cli.app import main as run

    run()


def _leave(*_: object) -> None:
    """End at once: an interrupted import may raise anything. Commands that keep something have their own way."""
    os.write(2, b"wirenas: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
