"""The ground: the project under its own name, which tells its packages from others with their names.

`priors`, `predictors` and `nas` are also names of other distributions, and of folders that people make.
"""

__all__ = ["require_own"]


def require_own(*packages: str) -> None:
    """Check that packages are WireNAS's own.

    Parameters
    ----------
    *packages : str
        Names of those that are needed; what others among them import comes first.

    Raises
    ------
    ImportError
        If something else is imported under one of the names: one line with its path.
    """
    # Imported here, so that Ctrl-C is answered from the first moment on: until the command is there, Python answers.
    from importlib import import_module
    from importlib.util import find_spec

    for package in packages:
        try:
            own = hasattr(import_module(package), "_WIRENAS")
        except Exception:  # Another project's package may fail in any way.
            own = False
        if not own:
            spec = find_spec(package)
            place = "nothing" if spec is None else spec.origin or ", ".join(spec.submodule_search_locations or ())
            raise ImportError(
                f"WireNAS needs its own package {package}, but this name leads to {place}: install WireNAS into an "
                "environment of its own, or rename the folder that is in the way"
            )
