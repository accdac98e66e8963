"""GraphFeatures: the features of wirings as a scikit-learn transformer; it loads scikit-learn only where it must."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from predictors.features.describe import describe
from predictors.features.table import names_of
from priors.checks import choice, whole
from priors.wiring import Wiring

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    Wirings = Iterable[Wiring | nx.Graph[Any]]

__all__ = ["GraphFeatures"]


@dataclass(eq=False)
class GraphFeatures:
    """Turn wirings into a table of their features.

    There is nothing to learn: a wiring's row never depends on other wirings. What is undefined for a wiring is NaN, so
    put an imputer behind this in a pipeline whose regressor takes no NaN.

    Parameters
    ----------
    tiers : tuple of str
        Some of `TIERS`.
    pivots : int, optional
        Neurons at which the paths of betweenness start, all of them where there are not more. Without a number: all of
        up to 500 neurons, else 64.

    Notes
    -----
    Parameters are checked when they are used and not when they are set, as scikit-learn wants it.

    Examples
    --------
    >>> from predictors import GraphFeatures
    >>> from priors import ErdosRenyi
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> graphs = [ErdosRenyi(20, edges=edges).sample(0) for edges in range(20, 60)]
    >>> pipeline = make_pipeline(GraphFeatures(tiers=("size",)), LinearRegression())
    >>> pipeline.fit(graphs, [graph.n_edges for graph in graphs]).predict(graphs[:2]).round(3).tolist()
    [40.0, 42.0]
    >>> GraphFeatures(tiers=("size",)).get_feature_names_out()[:2].tolist()
    ['n_neurons', 'n_edges']
    """

    tiers: tuple[str, ...] = ("size", "structure")
    pivots: int | None = None

    def fit(self, wirings: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Check the parameters; wirings and labels are not looked at.

        Raises
        ------
        ValueError
            If a tier is not known, or there is not at least one pivot.
        """
        self._check()
        return self

    def transform(self, wirings: Wirings) -> NDArray[np.float64] | pd.DataFrame:
        """Return the features of wirings.

        Parameters
        ----------
        wirings : sequence of Wiring or networkx graph
            Graphs become wirings by `Wiring.from_networkx`.

        Returns
        -------
        (n_wirings, n_features) float64 array or pandas.DataFrame
            Columns as `get_feature_names_out` names them. A frame only where `set_output` asked for one.

        Raises
        ------
        ValueError
            If something is neither a wiring nor a graph, or for wrong parameters.
        """
        self._check()
        values = describe(_wirings_of(wirings), tuple(self.tiers), self.pivots)
        if vars(self).get("_sklearn_output_config", {}).get("transform") != "pandas":
            return values
        import pandas as pd

        return pd.DataFrame(values, columns=self.get_feature_names_out())

    def fit_transform(self, wirings: Wirings, y: Any = None) -> NDArray[np.float64] | pd.DataFrame:  # noqa: ARG002
        """Return the features of wirings, as `transform` does."""
        return self.transform(wirings)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the names of the columns, (n_features,) array of str."""
        return np.array(names_of(tuple(self.tiers)), dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the parameters by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Raises
        ------
        ValueError
            If there is no parameter of such a name.
        """
        for name, value in params.items():
            choice("GraphFeatures", "parameter", name, tuple(self.get_params()))
            setattr(self, name, value)
        return self

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns: "default" is an array, "pandas" a frame; None changes nothing.

        Raises
        ------
        ValueError
            For any other container.
        """
        if transform is not None:
            choice("GraphFeatures", "transform", transform, ("default", "pandas"))
            # The name under which scikit-learn's clone looks for this choice.
            self._sklearn_output_config = {"transform": transform}
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
            input_tags=InputTags(two_d_array=False, one_d_array=True),
            no_validation=True,
            requires_fit=False,
        )

    def _check(self) -> None:
        tiers: object = self.tiers
        if isinstance(tiers, str):
            raise ValueError(f"tiers={tiers!r}: GraphFeatures needs a tuple of tiers, such as ({tiers!r},)")
        names_of(tuple(self.tiers))
        if self.pivots is not None:
            whole("GraphFeatures", "pivots", self.pivots, 1)


def _wirings_of(items: Any) -> list[Wiring]:
    """Return wirings and graphs as wirings, or raise and say which is neither."""
    if isinstance(items, Iterable) and not hasattr(items, "to_directed"):
        return [_wiring_of(item, index) for index, item in enumerate(items)]
    raise ValueError(f"wirings is a {type(items).__name__}: GraphFeatures needs a sequence of wirings, such as a list")


def _wiring_of(item: Any, index: int) -> Wiring:
    if isinstance(item, Wiring):
        return item
    import networkx as nx

    if not isinstance(item, nx.Graph):
        kind = type(item).__name__
        raise ValueError(f"wirings[{index}] is a {kind}: GraphFeatures needs Wirings or networkx graphs")
    try:
        return Wiring.from_networkx(item)
    except ValueError as error:
        raise ValueError(f"wirings[{index}]: {error}") from None
