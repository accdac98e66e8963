"""Options that would do nothing: one table of what each depends on.

Who gives an option believes that it acts. So a new campaign or survey refuses one that does not, in a line that says
why. Values are held against the defaults, since a folder keeps all of its options whether they were given or not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nas.options.options import CampaignOptions, SharedOptions, SurveyOptions, shown
from nas.space.families import FAMILIES, own_parameters
from nas.space.space import Space

if TYPE_CHECKING:
    from nas.tasks import Task

__all__ = ["RULES", "Rule", "Setting", "all_rules", "ignored_option"]


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
    """

    options: SharedOptions
    space: Space
    task: Task | None
    units: tuple[int, int]
    is_shared: bool = False

    @property
    def sampler(self) -> str | None:
        """Name of the campaign's sampler; None for a survey."""
        return self.options.sampler if isinstance(self.options, CampaignOptions) else None

    @property
    def learns(self) -> bool:
        """Whether what became of trials decides about others."""
        options = self.options
        return isinstance(options, CampaignOptions) and (self.sampler != "random" or options.early_stopping is not None)

    @property
    def has_families(self) -> bool:
        """Whether graphs are drawn from families, and not the user's own."""
        return self.space.graphs is None

    @property
    def is_edited(self) -> bool:
        """Whether a sampler edits graphs."""
        return self._has_editor and self.space.edits > 0 and not self.space.is_finite

    @property
    def _has_editor(self) -> bool:
        return isinstance(self.options, CampaignOptions) and self.options.edits

    def keeps(self, name: str) -> bool:
        """Whether a range of the space is one number, which edits keep."""
        low, high = getattr(self.space, name)
        return bool(low == high)


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


RULES = (
    # What is trained, and how
    Rule(
        (
            *("activation", "engine", "device", "replicates", "finalists", "final_seeds"),
            *("recipe.nesterov", "recipe.momentum", "recipe.optimizer", "recipe.learning_rates", "recipe.schedule"),
            *("recipe.epochs", "recipe.batch_size", "recipe.weight_decay", "recipe.clip", "recipe.patience"),
        ),
        lambda setting: setting.task is not None,
        "an own evaluation ignores it",
        "give a task in place of evaluate",
    ),
    Rule(
        ("activation",),
        lambda setting: setting.options.network == "mlp",
        "network={0.network} ignores it",
        "give cell",
    ),
    Rule(
        ("cell",),
        lambda setting: setting.options.network == "rnn",
        "network={0.network} ignores it",
        "give activation",
    ),
    Rule(
        ("recipe.momentum",),
        lambda setting: setting.options.recipe.optimizer == "sgd",
        "recipe.optimizer={0.recipe.optimizer} ignores it",
        "give recipe.optimizer=sgd",
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
    Rule(
        ("space.reads", "space.readouts"),
        lambda setting: "controlled" in setting.space.attachment,
        "only controlled attachment heeds it",
        "give space.attachment=controlled",
    ),
    Rule(
        ("space.width",),
        lambda setting: "projected" in setting.space.attachment,
        "only projected attachment heeds it",
        "give space.attachment=projected",
    ),
    # Where graphs come from
    Rule(
        ("space.priors",),
        lambda setting: setting.has_families,
        "own graphs take the place of all families",
        "give it without space.graphs",
    ),
    Rule(
        ("space.nodes", "space.degree"),
        lambda setting: setting.has_families or setting.is_edited,
        "own graphs take the place of all families, and nothing edits them",
        "give it without space.graphs",
    ),
    Rule(
        ("space.nodes",),
        lambda setting: setting.has_families or setting.keeps("nodes"),
        "own graphs take the place of all families",
        "give one number, which edits then keep",
    ),
    Rule(
        ("space.degree",),
        lambda setting: setting.has_families or setting.keeps("degree"),
        "own graphs take the place of all families",
        "give one number, which edits then keep",
    ),
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
"""What options depend on; those that are not here always act."""


def _draws_from(families: Collection[str]) -> Callable[[Setting], bool]:
    """Return whether a setting's space has one of some families."""
    return lambda setting: not set(families).isdisjoint(setting.space.priors)


def all_rules() -> tuple[Rule, ...]:
    """Return `RULES`, and those of the parameters of families: each acts where one of its families is drawn."""
    rules = list(RULES)
    for name in own_parameters():
        families = [family for family, record in FAMILIES.items() if name in {own.name for own in record.parameters}]
        option = (f"space.{name}",)
        rules += [
            Rule(
                option,
                lambda setting: setting.has_families,
                "own graphs take the place of all families",
                "give it without space.graphs",
            ),
            Rule(
                option,
                _draws_from(families),
                f"only {' and '.join(families)} heeds it",
                f"give space.priors={' or '.join(families)}",
            ),
        ]
    return tuple(rules)


def ignored_option(setting: Setting) -> str | None:
    """Return a line on the first option that would do nothing; None where all that were given act."""
    defaults, of_task = _defaults(setting.options), _of_task(setting.task)
    for rule in all_rules():
        if rule.is_heeded(setting):
            continue
        for name in rule.names:
            value, default = (_value(options, name) for options in (setting.options, defaults))
            if value not in (default, of_task.get(name, default), *rule.same):
                instead = f", or {rule.instead}" if rule.instead else ""
                return f"{name}={shown(value)}: {rule.why.format(setting.options)}; leave it out{instead}"
    return None


def _defaults(options: SharedOptions) -> SharedOptions:
    """Return what options are where nothing is given that other defaults do not follow from."""
    given: dict[str, Any] = {"objective": options.objective} if isinstance(options, CampaignOptions) else {}
    return type(options)(**given)


def _of_task(task: Task | None) -> Mapping[str, object]:
    """Return a task's defaults for the recipe, which nobody gave."""
    return {} if task is None else {f"recipe.{name}": value for name, value in task.recipe.items()}


def _value(options: SharedOptions, name: str) -> Any:
    """Return an option; None for one that surveys, or campaigns, do not have."""
    try:
        return attrgetter(name)(options)
    except AttributeError:
        return None
