"""What is done to inputs before a network reads them, by rules without parameters."""

from nas.inputs.pooling import Pooling

__all__ = ["Pooling"]
