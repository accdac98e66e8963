"""Reservoirs: recurrent networks of fixed weights, of which ridge regression reads out what is wanted."""

from nas.reservoirs.network import ReservoirNetwork
from nas.reservoirs.reservoir import Reservoir, Score, check_task
from nas.reservoirs.series import SERIES, Series, load_series
from nas.reservoirs.training import begin_read_out, check_read_out

__all__ = [
    "SERIES",
    "Reservoir",
    "ReservoirNetwork",
    "Score",
    "Series",
    "begin_read_out",
    "check_read_out",
    "check_task",
    "load_series",
]
