"""What is done to inputs before a network reads them, by rules without parameters, and what is known of them."""

from nas.inputs.pooling import Pooling
from nas.inputs.reversal import with_reversal
from nas.inputs.statistics import describe_inputs

__all__ = ["Pooling", "describe_inputs", "with_reversal"]
