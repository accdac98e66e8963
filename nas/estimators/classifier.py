"""WiringClassifier: a sparse network whose wiring a prior draws, as a classifier of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from nas.errors import InputError
from nas.estimators.base import WiringEstimator
from nas.estimators.examples import Examples

__all__ = ["WiringClassifier", "classified"]


@dataclass(eq=False, repr=False)
class WiringClassifier(ClassifierMixin, WiringEstimator):  # type: ignore[misc]
    """A classifier whose network has a random graph for its wiring.

    Features may be any finite numbers; encode what is text, and impute what is missing, before.

    Parameters
    ----------
    prior : str, Prior, Wiring or networkx graph
        What the wiring of the hidden neurons is drawn from, or what it is:

        - a name of `priors.FAMILIES`, such as watts-strogatz, barabasi-albert, modular or layered (two layers with
          links at random places), with `hidden` neurons and mean `degree`, or the nearest degree that there is;
        - a prior of `priors`, or anything with a method ``sample(rng)`` that returns a `Wiring`;
        - a graph of networkx or a `Wiring` of hidden neurons, which is taken as it is;
        - a `Wiring` with input and output units, which is all of the network.

        What has no directions is oriented; directed cycles are refused. Weights of a graph are the initial ones.
    hidden : int
        Hidden neurons of a prior that is given by its name, at least 4.
    degree : float
        Links that each of these has with others on average.
    prior_params : mapping, optional
        Other parameters of a prior that is given by its name: ``{"p": 0.1}`` of watts-strogatz, or ``{"initial":
        "star"}`` of barabasi-albert; by default .5 and isolated.
    orientation : {"random", "index", "degree"}
        How links get their directions.
    attachment : {"controlled", "natural", "projected", "published"}
        How input and output units are connected; see `priors.attach`.
    reads, readouts : int
        Features that each hidden neuron reads, and hidden neurons that the outputs read, under controlled attachment;
        all of them where there are not more.
    shortcuts : bool
        Whether outputs read all features too: the network then is a linear model and what hidden neurons add to it.
        Of a wiring with units of its own neither this nor the attachment changes anything.
    activation : {"relu", "tanh", "sigmoid", "gelu", "identity"}
        Of hidden neurons.
    epochs, batch_size : int
        Passes over the examples, and examples an update.
    learning_rate : float
    optimizer : {"adamw", "adam", "sgd"}
    schedule : {"cosine", "linear", "step", "constant"}
        Of the learning rate.
    weight_decay : float
        Pull of weights and biases towards 0; of adamw decoupled, so that every update shrinks them by this times the
        learning rate.
    normalise : bool
        Batch normalisation of hidden neurons in training, folded into the weights afterwards. It counts every example
        once, whatever it weighs.
    early_stopping : bool
        Whether some examples validate, and do not train: the weights after the best epoch are kept, and training ends
        `patience` epochs after it.
    validation_fraction : float
        Share of these examples, of each class.
    patience : int
    standardize : bool
        Whether features, and in regression targets, are brought to mean 0 and deviation 1, by those of the examples
        that train, and predictions brought back.
    engine : {"auto", "native", "torch"}
    random_state : int, RandomState or None
        Draws the wiring, initial weights, the order of examples, and which of them validate. One int gives one result.
    class_weight : mapping or "balanced", optional
        What the examples of each class count, or that all classes count the same; times `sample_weight`.

    Attributes
    ----------
    classes_ : (n_classes,) array
    n_features_in_ : int
    feature_names_in_ : (n_features,) array of str
        Where `X` was a frame.
    wiring_ : Wiring
        Of the network, with input and output units.
    network_ : SparseMLP
        A ``torch.nn.Module`` of float32, which reads what is standardised.
    n_parameters_ : int
        Its weights and biases.
    scaling_ : Scaling
        ``scaling_.inputs`` and ``scaling_.targets``: the StandardScaler of each, or None.
    n_iter_ : int
        Epochs that were trained.
    loss_curve_ : list of float
        Mean training loss in each epoch.
    validation_scores_ : list of float
        With early stopping, what validation says after each epoch: accuracy, or the mean squared error of standardised
        targets.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from nas import WiringClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = WiringClassifier(prior="barabasi-albert", hidden=20, degree=4, random_state=0).fit(X, y)
    >>> bool(classifier.score(X, y) > 0.95)
    True
    >>> classifier.predict_proba(X[:2]).shape
    (2, 3)
    >>> classifier.wiring_
    <Wiring ...>
    """

    class_weight: Mapping[Any, float] | str | None = None

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Draw the wiring and train its network.

        Parameters
        ----------
        X : (n, n_features) array or frame
        y : (n,) array
            Classes, of any type.
        sample_weight : (n,) array, optional
            What each example counts in the loss, 0 or more, relative to the others.

        Raises
        ------
        InputError
            A ValueError of one line, if a parameter or the data cannot be used, or the training diverges.
        """
        return self._learn(classified(self, X, y, sample_weight, self.class_weight))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, (n, n_classes), in the order of `classes_`."""
        found: NDArray[np.float64] = softmax(self._outputs(X), axis=1)
        return found

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithms of `predict_proba`."""
        found: NDArray[np.float64] = log_softmax(self._outputs(X), axis=1)
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row, (n,)."""
        numbers = self._outputs(X).argmax(axis=1)
        found: NDArray[Any] = self.classes_[numbers]
        return found


def classified(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    class_weight: Mapping[Any, float] | str | None = None,
) -> Examples:
    """Return checked examples of classes, and let the estimator know its features and `classes_`."""
    rows, labels = validate_data(estimator, X, y, dtype=[np.float64, np.float32])
    labels = column_or_1d(labels, warn=True)
    check_classification_targets(labels)
    estimator.classes_, numbers = np.unique(labels, return_inverse=True)
    weights = None
    if sample_weight is not None:
        weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
    if class_weight is not None:
        try:
            of_classes = compute_sample_weight(class_weight, labels)
        except ValueError as error:
            raise InputError(f"class_weight={class_weight!r}: {' '.join(str(error).split())}") from None
        weights = of_classes if weights is None else weights * of_classes
    return Examples(rows, numbers.astype(np.int64), weights, len(estimator.classes_), "cross-entropy")
