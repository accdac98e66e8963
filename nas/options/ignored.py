"""Options that would do nothing: one table of what each depends on.

Who gives an option believes that it acts. So a new campaign or survey refuses one that does not, in a line that says
why. What is typed is refused whatever its value; files and programs often write all options, so that of those only
values that are not the default are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nas.errors import options_of
from nas.options.options import CampaignOptions, SharedOptions, SurveyOptions, shown
from nas.space.budget import Budget
from nas.space.families import FAMILIES, own_parameters
from nas.space.own_graphs import has_weights
from nas.space.space import Space
from nas.space.ways import Ways
from nas.training.recipe import OF_READ_OUTS

if TYPE_CHECKING:
    from nas.tasks import Task

__all__ = ["Rule", "Setting", "all_rules", "dotted_names", "ignored_option"]


@dataclass(frozen=True)
class Setting:
    """What decides whether an option does anything.

    Parameters
    ----------
    options : CampaignOptions or SurveyOptions
    space : Space
        Of the options, with the structure that the network needs.
    task : Task or None
        None for an own evaluation.
    units : (int, int)
        Input and output units of wirings.
    is_shared : bool
        Whether several processes share the study.
    typed : frozenset of str
        Names of options that were given on a command line.
    """

    options: SharedOptions
    space: Space
    task: Task | None
    units: tuple[int, int]
    is_shared: bool = False
    typed: frozenset[str] = frozenset()

    @property
    def sampler(self) -> str | None:
        """Name of the campaign's sampler; None for a survey."""
        return getattr(self.options, "sampler", None)

    @property
    def learns(self) -> bool:
        """Whether what became of trials decides about others."""
        return self.sampler not in (None, "random") or getattr(self.options, "early_stopping", None) is not None

    @property
    def has_families(self) -> bool:
        """Whether graphs are drawn from families, and not the user's own."""
        return self.space.graphs is None

    @property
    def draws_graphs(self) -> bool:
        """Whether graphs are drawn, from families or from the user's own."""
        return self.has_families or self.space.is_resampled

    @property
    def is_edited(self) -> bool:
        """Whether a sampler edits graphs."""
        return getattr(self.options, "edits", False) and self.space.edits > 0 and not self.space.is_finite


@dataclass(frozen=True)
class Rule:
    """What options depend on.

    Parameters
    ----------
    names : tuple of str
        The options, with a dot where they are part of the space or the recipe.
    is_heeded : callable
        Whether they do anything.
    why : str
        Why they do not; ``{0}`` stands for all options.
    instead : str
        What else could be given than nothing.
    same : tuple
        Values beside the default that ask for nothing else than what is done without the option.
    """

    names: tuple[str, ...]
    is_heeded: Callable[[Setting], bool]
    why: str
    instead: str = ""
    same: tuple[object, ...] = ()


def _of_samplers(name: str, *samplers: str, same: tuple[object, ...] = ()) -> Rule:
    return Rule(
        (name,),
        lambda setting: setting.sampler in samplers,
        "sampler={0.sampler} ignores it",
        f"give sampler={' or '.join(samplers)}",
        same,
    )


def _of_attachment(attachment: str, *names: str) -> Rule:
    return Rule(
        names,
        lambda setting: attachment in setting.space.attachment,
        f"only {attachment} attachment heeds it",
        f"give space.attachment={attachment}",
    )


def _of_network(name: str, network: str, instead: str) -> Rule:
    return Rule((name,), lambda setting: setting.options.network == network, "network={0.network} ignores it", instead)


_OWN_GRAPHS = "own graphs take the place of all families"


def _of_families(name: str) -> Rule:
    return Rule((name,), lambda setting: setting.draws_graphs, _OWN_GRAPHS, "give it without space.graphs")


def _of_families_or_kept(name: str) -> Rule:
    """Return the rule of a range that edits of own graphs keep to where it is one number."""
    return Rule(
        (f"space.{name}",),
        lambda setting: (
            setting.has_families
            or (name == "nodes" and setting.space.is_resampled)
            or len(set(getattr(setting.space, name))) == 1
        ),
        _OWN_GRAPHS,
        "give one number, which edits then keep",
    )


def _of_family_parameter(name: str) -> tuple[Rule, ...]:
    """Return the rules of a parameter of families, which acts where one of them is drawn."""
    families = [family for family, record in FAMILIES.items() if name in {own.name for own in record.parameters}]
    option = f"space.{name}"
    of_its_families = Rule(
        (option,),
        lambda setting: not set(families).isdisjoint(setting.space.priors),
        f"only {' and '.join(families)} {'heeds' if len(families) == 1 else 'heed'} it",
        f"give space.priors={' or '.join(families)}",
    )
    if all(FAMILIES[family].of_graph for family in families):
        return (of_its_families,)
    return _of_families(option), of_its_families


_WITHOUT_BUDGET = Rule(
    ("precision", *(f"ways.{name}" for name in Ways.model_fields)),
    lambda setting: getattr(setting.options, "budget", None) is not None,
    "without a budget random graphs are searched",
    "give budget, such as 3000",
)
_WITH_BUDGET = Rule(
    tuple(f"space.{name}" for name in options_of(Space)),
    lambda setting: getattr(setting.options, "budget", None) is None,
    "with budget={0.budget} the ways to a structure are searched",
    "give it without budget",
)

_OF_READ_OUTS = tuple(f"recipe.{name}" for name in OF_READ_OUTS)

_RULES = (
    _WITHOUT_BUDGET,
    _WITH_BUDGET,
    Rule(
        ("precision",),
        lambda setting: Budget.of(getattr(setting.options, "budget", None) or 1).unit == "bytes",
        "budget={0.budget} counts no bytes",
        "give a budget such as 12KiB",
    ),
    # What is trained, and how
    Rule(
        (
            *("activation", "initial_state", "engine", "device", "replicates"),
            *("finalists", "final_seeds", "final_epochs"),
            *("recipe.nesterov", "recipe.momentum", "recipe.optimizer", "recipe.learning_rates", "recipe.schedule"),
            *("recipe.epochs", "recipe.batch_size", "recipe.weight_decay", "recipe.clip", "recipe.patience"),
            *("recipe.normalise", *_OF_READ_OUTS),
        ),
        lambda setting: setting.task is not None,
        "an own evaluation ignores it",
        "give a task in place of evaluate",
    ),
    _of_network("activation", "mlp", "give cell"),
    _of_network("cell", "rnn", "give activation"),
    _of_network("initial_state", "rnn", "give network=rnn"),
    _of_network("recipe.normalise", "mlp", "give network=mlp"),
    Rule(
        ("recipe.momentum",),
        lambda setting: setting.options.recipe.optimizer == "sgd",
        "recipe.optimizer={0.recipe.optimizer} ignores it",
        "give recipe.optimizer=sgd",
    ),
    Rule(
        (
            *("recipe.learning_rates", "recipe.schedule", "recipe.epochs", "recipe.batch_size", "recipe.weight_decay"),
            *("recipe.clip", "recipe.patience", "final_epochs", "initial_state"),
        ),
        lambda setting: not setting.options.recipe.is_read_out,
        "recipe.optimizer=ridge ignores it",
        "give recipe.optimizer=adam",
    ),
    Rule(
        _OF_READ_OUTS,
        lambda setting: setting.options.recipe.is_read_out,
        "recipe.optimizer={0.recipe.optimizer} ignores it",
        "give recipe.optimizer=ridge",
    ),
    Rule(
        ("early_stopping",),
        lambda setting: setting.options.recipe.epochs > 1,
        "recipe.epochs=1 leaves no trial to be stopped before its end",
        "give more epochs",
    ),
    # How graphs become wirings
    Rule(
        ("space.orientation",),
        lambda setting: setting.space.is_oriented,
        "space.structure=recurrent takes graphs as they are and ignores it",
        "give space.structure=stack",
    ),
    Rule(
        ("space.reads", "space.readouts", "space.width", "space.attachment"),
        lambda setting: setting.units[0] > 0,
        "wirings without input units ignore it",
        "give n_inputs",
    ),
    Rule(
        ("space.readouts",),
        lambda setting: setting.units[1] > 0,
        "wirings without output units ignore it",
        "give n_outputs",
    ),
    _of_attachment("controlled", "space.reads", "space.readouts"),
    _of_attachment("projected", "space.width"),
    # Where graphs come from
    _of_families("space.priors"),
    Rule(
        ("space.nodes",),
        lambda setting: setting.draws_graphs or setting.is_edited,
        f"{_OWN_GRAPHS}, and nothing edits them",
        "give it without space.graphs",
    ),
    Rule(
        ("space.degree",),
        lambda setting: setting.has_families or setting.is_edited,
        f"{_OWN_GRAPHS}, and nothing edits them",
        "give it without space.graphs",
    ),
    _of_families_or_kept("nodes"),
    _of_families_or_kept("degree"),
    Rule(
        ("space.edits",),
        lambda setting: not isinstance(setting.options, SurveyOptions),
        "a survey edits no graphs",
        same=(0,),
    ),
    _of_samplers("space.edits", "structural", "genetic", same=(0,)),
    Rule(
        ("space.edits",),
        lambda setting: not setting.space.is_finite,
        "graphs that have input units are taken as they are",
        "give space.graphs without them",
        same=(0,),
    ),
    Rule(
        ("space.graphs_weights",),
        lambda setting: not (setting.space.is_finite or setting.space.structure == "given"),
        "graphs are taken as they are, with their weights",
    ),
    Rule(
        ("space.graphs_weights",),
        lambda setting: setting.space.pool is not None and any(map(has_weights, setting.space.pool)),
        "no graph of one's own has weights",
        "give space.graphs that have",
    ),
    Rule(
        ("space.graphs_format", "space.graphs_directed", "space.graphs_merge"),
        lambda setting: isinstance(setting.space.graphs, str),
        "no files of graphs are read",
        "give the path space.graphs",
    ),
    # How candidates are chosen
    Rule(
        ("startup",),
        lambda setting: getattr(setting.options, "warm_start", None) is None,
        "warm_start takes the place of the first trials",
        "give it without warm_start",
    ),
    _of_samplers("startup", "structural", "genetic"),
    _of_samplers("screened", "genetic"),
    _of_samplers("share", "structural", same=(None,)),
    _of_samplers("repeats", "structural", same=(1,)),
    _of_samplers("warm_start", "structural"),
    Rule(
        ("batch",),
        lambda setting: not setting.is_shared,
        "processes that share a study ask for one trial at a time",
        "give it without storage",
    ),
    Rule(
        ("batch",),
        lambda setting: setting.learns,
        "sampler={0.sampler} learns nothing from trials and ignores it",
        "give another sampler",
    ),
)


def all_rules() -> tuple[Rule, ...]:
    """Return what options depend on, those of the parameters of families too; others always act."""
    return (*_RULES, *(rule for name in own_parameters() for rule in _of_family_parameter(name)))


def ignored_option(setting: Setting) -> str | None:
    """Return a line on the first option that would do nothing; None where all that were given act."""
    defaults = _defaults(setting.options)
    # A task's defaults for the recipe, which nobody gave.
    of_task = {} if setting.task is None else {f"recipe.{name}": value for name, value in setting.task.recipe.items()}
    for rule in all_rules():
        if rule.is_heeded(setting):
            continue
        for name in rule.names:
            value, default = (_value(options, name) for options in (setting.options, defaults))
            unspoken = () if name in setting.typed else (default, of_task.get(name, default))
            if value not in (*unspoken, *rule.same):
                instead = f", or {rule.instead}" if rule.instead else ""
                return f"{name}={shown(value)}: {rule.why.format(setting.options)}; leave it out{instead}"
    return None


def dotted_names(given: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of nested options, with a dot where they are part of the space or the recipe."""
    inner = {name: value for name, value in given.items() if isinstance(value, Mapping)}
    return frozenset(given).difference(inner) | {f"{name}.{own}" for name, value in inner.items() for own in value}


def _defaults(options: SharedOptions) -> SharedOptions:
    """Return what options are where nothing is given that other defaults do not follow from."""
    given: dict[str, Any] = {}
    if isinstance(options, CampaignOptions):
        given = {"objective": options.objective, "budget": options.budget}
    return type(options)(**given)


def _value(options: SharedOptions, name: str) -> Any:
    """Return an option; None for one that surveys, or campaigns, do not have."""
    try:
        return attrgetter(name)(options)
    except AttributeError:
        return None
