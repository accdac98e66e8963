"""Addresses of databases: which are used, and how they are named without passwords."""

from __future__ import annotations

import re
from urllib.parse import quote

import sqlalchemy
from sqlalchemy.exc import ArgumentError

from nas.errors import InputError

__all__ = ["place_of", "reason_of", "url_of"]

_EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"
_DRIVER = "postgresql+psycopg"


def url_of(storage: str) -> sqlalchemy.URL:
    """Return a storage's URL with the driver that is used.

    Raises
    ------
    InputError
        For what is no URL of a PostgreSQL database; nothing that may be a password is shown.
    """
    try:
        url = sqlalchemy.make_url(storage)
    except (ArgumentError, ValueError):
        raise InputError(f"storage: what was given is not the URL of a database; give {_EXAMPLE}") from None
    backend = url.get_backend_name()
    if backend == "sqlite":
        raise InputError(
            f"storage=sqlite: SQLite hands one trial out twice where several processes ask; give {_EXAMPLE}, or leave "
            "storage out: one process with --threads keeps its study in --out"
        )
    if backend not in ("postgresql", "postgres"):
        raise InputError(f"storage={backend}: campaigns of several processes need PostgreSQL; give {_EXAMPLE}")
    if not url.database:
        raise InputError(f"storage={backend}: the URL names no database; give {_EXAMPLE}")
    return url.set(drivername=_DRIVER) if "+" not in url.drivername else url


def place_of(url: sqlalchemy.URL) -> str:
    """Return where a database is, without who uses it and by which password."""
    host = url.host or str(url.query.get("host", "localhost"))
    return f"{host}:{url.port or 5432}/{url.database}"


def reason_of(error: Exception, url: sqlalchemy.URL) -> str:
    """Return what a driver said, in one line and without any password."""
    text = " ".join(str(error.__cause__ or error).split())
    text = text.rpartition("FATAL: ")[2].split("(Background on this error")[0]
    text = text.split("[SQL: ")[0].strip()
    text = re.sub(r"^\(psycopg\.[\w.]+\) ", "", text)
    secrets = [url.password, *(value for name, value in url.query.items() if "password" in name)]
    for secret in filter(None, map(str, secrets)):
        for written in (secret, quote(secret, safe="")):
            text = text.replace(written, "***")
    return text[:300].rstrip(". ")
