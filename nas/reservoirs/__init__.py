"""Reservoirs: recurrent networks of fixed weights, of which ridge regression reads out what is wanted."""

from nas.reservoirs.network import ReservoirNetwork
from nas.reservoirs.reservoir import Reservoir, Score, check_task
from nas.reservoirs.series import SERIES, Series, load_series

__all__ = ["SERIES", "Reservoir", "ReservoirNetwork", "Score", "Series", "check_task", "load_series"]
