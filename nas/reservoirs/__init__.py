"""Reservoirs: recurrent networks of fixed weights, of which ridge regression reads out what is wanted."""

from nas.reservoirs.network import ReservoirNetwork
from nas.reservoirs.reservoir import Reservoir, Score
from nas.reservoirs.series import SERIES, Series, load_series

__all__ = ["SERIES", "Reservoir", "ReservoirNetwork", "Score", "Series", "load_series"]
