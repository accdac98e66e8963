"""What fitted regressors are reduced to: small frozen objects of arrays that predict.

A member selects its columns from the rows that it is given, fills what is undefined, and never leaves the range of the
values that it was fitted on by more than a margin.
"""

from predictors.members.combined import Hurdle, Mean
from predictors.members.gaussian_process import GaussianProcess
from predictors.members.linear import Constant, Linear
from predictors.members.member import Member
from predictors.members.scaling import Columns, Scaling
from predictors.members.serial import from_arrays, to_arrays
from predictors.members.trees import Trees

__all__ = [
    "Columns",
    "Constant",
    "GaussianProcess",
    "Hurdle",
    "Linear",
    "Mean",
    "Member",
    "Scaling",
    "Trees",
    "from_arrays",
    "to_arrays",
]
