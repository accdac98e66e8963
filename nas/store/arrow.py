"""pyarrow, which surveys alone are stored with: an extra, that says how it is had where it is missing."""

from __future__ import annotations

from nas.errors import InputError

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    raise InputError(
        "pyarrow is not installed, which the rows of surveys are stored with; it comes with: pip install "
        "'wirenas[survey]'"
    ) from None

__all__ = ["pa", "pq"]
