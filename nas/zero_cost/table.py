"""ZERO_COST: every zero-cost measure, with its definition.

Words of the definitions: *neurons* are hidden neurons; the *minibatch* is one fixed part of the task's training part;
the *loss* is its mean loss; *readout neurons* are those with an edge to an output unit; a neuron is *live* where a path
leads from it to an output unit. An MLP's *activation* is what a neuron passes on, an RNN's its state; where measures
speak of examples and an RNN has many states of one, they mean the state at its last step. Measures are means over fresh
initialisations. What is undefined is NaN.
"""

from __future__ import annotations

from predictors import Feature

__all__ = ["ZERO_COST"]

_ROY = "O. Roy, M. Vetterli, EUSIPCO 2007"

_ROWS = (
    ("loss", "backward", "loss", ""),
    ("gradient_norm", "backward", "Euclidean norm of the gradient of the loss by all weights", "arXiv:2101.08134"),
    ("snip", "backward", "sum over weights of |weight * gradient of the loss by it|", "arXiv:1810.02340"),
    (
        "fisher",
        "backward",
        "sum over neurons of the mean over examples of the square of activation * gradient of the example's loss by "
        "it, summed over time steps before it is squared",
        "arXiv:1801.05787",
    ),
    (
        "synflow",
        "backward",
        "natural logarithm of the sum over weights of weight * gradient by it of the sum of all outputs, where weights "
        "are absolute, all inputs 1 and neurons only sum; NaN for an RNN",
        "arXiv:2006.05467",
    ),
    (
        "jacobian",
        "backward",
        "root of the mean over examples of the squared derivatives of all outputs by all inputs, summed",
        "arXiv:1802.08760",
    ),
    (
        "naswot",
        "forward",
        "log-determinant of the (examples, examples) shares of neurons that are on or off alike, plus 0.001 on its "
        "diagonal; on is an activation above that of a sum of 0; NaN without neurons",
        "arXiv:2006.04647",
    ),
    ("dead", "forward", "share of neurons with activation 0 in all examples and steps; 0 unless ReLU", ""),
    ("logit_variance", "forward", "mean over outputs of the variance over examples", ""),
    (
        "logit_rank",
        "forward",
        "effective rank of the centred (examples, outputs) outputs, 0 where they are constant",
        _ROY,
    ),
    (
        "readout_rank",
        "forward",
        "effective rank of the centred (examples, readout neurons) activations, 0 where they are constant",
        _ROY,
    ),
    (
        "readout_r2",
        "forward",
        "R2 of the ridge regression of targets, one-hot for classes, on the activations of readout neurons, fitted to "
        "some and judged by other training examples; its penalty is 0.01 of their mean square",
        "arXiv:2011.06006",
    ),
    ("readout_accuracy", "forward", "accuracy of that regression; NaN without classes", "arXiv:2011.06006"),
    (
        "input_variance",
        "reads",
        "mean over edges from input units to neurons of the variance of the input over the training part",
        "",
    ),
    (
        "linear_reads",
        "reads",
        "live neurons that read an input, mean over inputs weighted by the share of the input's variance over the "
        "training part that lies between the means of classes; NaN without classes",
        "",
    ),
    (
        "discriminant_reads",
        "reads",
        "ln(1 + r), mean over inputs weighted by variance times mean squared weight in the linear discriminants of the "
        "classes; r = sum over neurons that read the input of g / (g + outputs / neurons), g = 1 at outputs, else the "
        "sum of g / fan-in over successors; in a wiring with recurrent edges the number of live readers; NaN without "
        "classes",
        "doi:10.1111/j.1469-1809.1936.tb02137.x",
    ),
)

ZERO_COST: dict[str, Feature] = {
    f"zc_{name}": Feature(f"zc_{name}", "zero-cost", "zero-cost", cost, "attached", definition, reference)
    for name, cost, definition, reference in _ROWS
}
"""Every zero-cost measure by its name, in the order of `zero_cost`."""
