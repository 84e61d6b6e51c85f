"""A constructor is the schema of its options."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NewType

import numpy as np
import pytest
import yaml
from annotated_types import MinLen
from hypothesis import given, strategies as st

from awnas_core.config.schema import OptionsSchema, options_of
from awnas_core.config.source import Place, parse_source
from awnas_core.errors import ConfigError, PluginError
from awnas_core.options import Child, Fraction, OptimizerCfg, PositiveFloat, PositiveInt

if TYPE_CHECKING:
    from never_there import Space


Seconds = NewType("Seconds", int)


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: Fraction
    steps: tuple[int, ...] = (1,)
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner = Inner(rate=0.5)
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit == 13:
            raise ConfigError("limit must not be 13")


class Base:
    """A base.

    Args:
        epochs: Number of
            epochs.
        lr: Learning rate (0.1: large).

    Source: nobody: nothing.
    """

    def __init__(
        self,
        space: Space,
        other: Unknown = None,  # noqa: F821 - never evaluated
        *,
        epochs: PositiveInt = 3,
        lr: PositiveFloat = 0.1,
        ratio: float = None,  # type: ignore[assignment]  # noqa: RUF013 - what is tested
        mode: Literal["fast", "slow"] = "fast",
        mixed: int | list[int] = 1,
        sizes: tuple[int, ...] = (1, 2),
        outer: Outer = Outer(),
        colour: Colour = Colour.RED,
        path: Path | None = None,
        optimizer: OptimizerCfg | None = None,
        maybe: PositiveInt | None = None,
        some: Annotated[list[str], MinLen(1)] = ["x"],  # noqa: B006
        either: Inner | str = "none",
        json: int = 1,
        copy: bool = False,
        schema: str = "s",
        free=None,
    ) -> None: ...


class Derived(Base):
    """Derived.

    Args:
        lr: Its own words.
    """

    schedulable = ("lr",)


def check(text: str, target: Any = Base) -> dict[str, Any]:
    source = parse_source(f"cfg:\n{text}", "a.yaml") if text else parse_source("cfg: {}", "a.yaml")
    options, problems = options_of(target).validate(source.data["cfg"], Place(source, ("cfg",)), "toy")
    if problems:
        raise AssertionError("\n".join(map(str, problems)))
    return options


def complaints(text: str, target: Any = Base) -> list[str]:
    source = parse_source(f"cfg:\n{text}", "a.yaml")
    options, problems = options_of(target).validate(source.data["cfg"], Place(source, ("cfg",)), "toy")
    assert not (options and problems) or options
    return [str(problem) for problem in problems]


def complaint(text: str, target: Any = Base) -> str:
    (only,) = complaints(text, target)
    return only


def test_positional_parameters_are_injected_and_keyword_only_ones_are_options():
    schema = options_of(Base)
    assert [(p.name, p.required) for p in schema.injected] == [("space", True), ("other", False)]
    assert list(schema.options)[:3] == ["epochs", "lr", "ratio"]
    assert options_of(Derived).options.keys() == schema.options.keys()


def test_the_docstring_of_the_nearest_class_describes_an_option():
    assert options_of(Base).options["epochs"].doc == "Number of epochs."
    assert options_of(Base).options["lr"].doc == "Learning rate (0.1: large)."
    assert options_of(Derived).options["lr"].doc == "Its own words."
    assert options_of(Derived).options["epochs"].doc == "Number of epochs."
    assert options_of(Base).options["mode"].doc == ""


def test_double_stars_stand_for_the_options_of_the_base():
    class Further(Base):
        """Further.

        Args:
            depth: How deep.
        """

        def __init__(
            self, space: Space, *, depth: PositiveInt, lr: Fraction = 0.5, **options: Any
        ) -> None: ...

    class Last(Further): ...

    schema = options_of(Last)
    assert [p.name for p in schema.injected] == ["space"]
    assert list(schema.options)[:3] == ["depth", "lr", "epochs"]
    assert schema.options.keys() == {"depth", *options_of(Base).options}
    assert (schema.options["lr"].default, schema.options["epochs"].default) == (0.5, 3)
    assert (schema.options["depth"].doc, schema.options["epochs"].doc) == ("How deep.", "Number of epochs.")


def test_no_options_give_all_defaults():
    options = check("")
    assert options["outer"] == Outer()
    assert list(options) == list(options_of(Base).options)
    assert options == options_of(Base).defaults()


def test_values_arrive_as_the_python_types_of_the_annotations():
    options = check(
        "  sizes: [3, 4]\n  lr: 1\n  outer: {inner: {rate: 1, steps: [5]}}\n  colour: red\n  path: a/b\n  mixed: [1]\n"
        "  optimizer: {type: SGD, lr: 1e-3}\n  copy: true\n  json: 4\n  schema: t\n  either: {rate: 0.25}\n  free: [1]"
    )
    assert options["sizes"] == (3, 4)
    assert isinstance(options["lr"], float)
    assert options["outer"] == Outer(inner=Inner(rate=1.0, steps=(5,)))
    assert options["colour"] is Colour.RED
    assert options["path"] == Path("a/b")
    assert options["optimizer"] == {"type": "SGD", "lr": 0.001}
    assert (options["copy"], options["json"], options["schema"]) == (True, 4, "t")
    assert options["either"] == Inner(rate=0.25)


def test_a_default_of_none_makes_an_option_optional():
    assert check("  ratio: ~")["ratio"] is None
    assert check("  ratio: 2")["ratio"] == 2.0
    assert "expected a number, got" in complaint("  ratio: x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  epochs: '5'", "a.yaml:2: cfg.epochs: expected a whole number, got text '5'"),
        ("  epochs: true", "a.yaml:2: cfg.epochs: expected a whole number, got true"),
        ("  epochs: 1.5", "a.yaml:2: cfg.epochs: expected a whole number, got 1.5"),
        ("  epochs: 0", "a.yaml:2: cfg.epochs: expected at least 1, got 0"),
        ("  lr: 0", "a.yaml:2: cfg.lr: expected above 0, got 0"),
        ("  mode: medium", "a.yaml:2: cfg.mode: expected 'fast' or 'slow', got text 'medium'"),
        ("  mixed: x", "a.yaml:2: cfg.mixed: expected a whole number or a list, got text 'x'"),
        ("  mixed: [1, x]", "a.yaml:2: cfg.mixed.1: expected a whole number, got text 'x'"),
        ("  sizes: 3", "a.yaml:2: cfg.sizes: expected a list, got 3"),
        ("  copy: 1", "a.yaml:2: cfg.copy: expected true or false, got 1"),
        ("  schema: 3", "a.yaml:2: cfg.schema: expected text, got 3"),
        ("  colour: blue", "a.yaml:2: cfg.colour: expected 'red', got text 'blue'"),
        ("  some: []", "a.yaml:2: cfg.some: expected at least 1 items, got a list of 0"),
        ("  optimizer: SGD", "a.yaml:2: cfg.optimizer: expected a mapping, got text 'SGD'"),
        ("  maybe: 0", "a.yaml:2: cfg.maybe: expected at least 1, got 0"),
        ("  outer:\n    limit: 13", "a.yaml:2: cfg.outer: limit must not be 13"),
        ("  outer:\n    inner: {rate: 2}", "a.yaml:3: cfg.outer.inner.rate: expected at most 1, got 2"),
        ("  outer:\n    inner: {}", "a.yaml:3: cfg.outer.inner.rate: required by toy, but missing"),
        (
            "  outer:\n    inner: {rate: 1, step: 3}",
            "a.yaml:3: cfg.outer.inner.step: no such option of toy; did you mean 'steps'?",
        ),
        ("  epoch: 3", "a.yaml:2: cfg.epoch: no such option of toy; did you mean 'epochs'?"),
        ("  3: x", "a.yaml:2: cfg.3: no such option of toy: a key is text"),
    ],
)
def test_a_mistake_says_where_what_was_expected_and_what_came(text: str, message: str):
    assert complaint(text) == message


def test_an_unknown_key_without_a_near_name_lists_the_options():
    assert "no such option of toy; it takes epochs, lr," in complaint("  zzzzzz: 3")


def test_what_yaml_made_of_a_value_is_told():
    assert "quote it to mean the text 'no'" in complaint("  schema: no")
    assert "octal" in complaint("  schema: 012")
    assert "nothing is written" in complaint("  epochs:")


def test_all_mistakes_are_found_at_once():
    found = complaints(
        "  epochs: x\n  lr: 0\n  epoch: 3\n  outer: {inner: {rate: 2, x: 1}, limits: 3}\n  sizes: [a, b]"
    )
    assert len(found) == 8


def test_a_missing_option_is_named_with_its_meaning():
    class Needy:
        """Needy.

        Args:
            genotypes: The text.
        """

        def __init__(self, *, genotypes: str) -> None: ...

    assert complaint("  {}", Needy) == "a.yaml:1: cfg.genotypes: required by toy, but missing: The text."


def test_options_that_contradict_each_other_are_refused_by_the_class():
    class Careful:
        def __init__(self, *, low: int = 0, high: int = 1) -> None: ...

        @classmethod
        def check_options(cls, options: Mapping[str, Any]) -> None:
            if options["low"] > options["high"]:
                raise ConfigError(f"low is {options['low']}, above high")

    assert complaint("  low: 2", Careful) == "a.yaml:1: cfg: low is 2, above high"
    assert check("  low: 1", Careful) == {"low": 1, "high": 1}


def test_defaults_and_given_values_are_copies():
    schema = options_of(Base)
    schema.defaults()["some"].append("changed")
    assert schema.defaults()["some"] == ["x"]
    source = parse_source("cfg: {optimizer: {type: SGD, betas: [1]}}")
    options, _ = schema.validate(source.data["cfg"], Place(source, ("cfg",)), "toy")
    options["optimizer"]["betas"].append(2)
    assert source.data["cfg"]["optimizer"]["betas"] == [1]


def test_resolved_options_pass_the_check_again_and_mean_the_same():
    options = check("  sizes: [3]\n  outer: {limit: 4}\n  path: x\n  either: {rate: 1}")
    text = yaml.safe_dump({"cfg": options_of(Base).to_json(options)})
    source = parse_source(text)
    again, problems = options_of(Base).validate(source.data["cfg"], Place(source, ("cfg",)), "toy")
    assert problems == []
    assert again == options


def test_nested_components_and_schedules_are_left_to_the_caller():
    class Parent:
        schedulable = ("lr",)

        def __init__(self, *, agent: Any = Child("rl_agent", "pg"), lr: float = 1.0) -> None: ...

    assert check("  agent_type: ppo\n  agent_cfg: {x: 1}\n  schedule_cfg: {}\n  rollout_type: x", Parent) == {
        "lr": 1.0
    }
    assert options_of(Parent).children["agent"].kind == "rl_agent"
    assert "did you mean 'agent_type'" in complaint("  agent_typ: ppo", Parent)
    assert "nothing that can be scheduled" in complaint("  schedule_cfg: {lr: 3}", Base)
    assert complaints("  schedule_cfg:", Base) == []  # old configs write it everywhere


def test_a_named_type_is_checked_like_what_it_names():
    class Timed:
        def __init__(self, *, wait: Seconds = Seconds(1)) -> None: ...

    assert check("  wait: 3", Timed) == {"wait": 3}
    assert "expected a whole number, got text '3'" in complaint("  wait: '3'", Timed)


def test_a_function_and_a_class_without_constructor_have_schemas_too():
    def factory(channels: int, *, affine: bool = True) -> None: ...

    class Bare:
        pass

    assert [p.name for p in options_of(factory).injected] == ["channels"]
    assert check("  affine: false", factory) == {"affine": False}
    assert (options_of(Bare).injected, dict(options_of(Bare).options)) == ((), {})


def test_an_annotation_that_cannot_be_evaluated_is_its_authors_mistake():
    class Wrong:
        def __init__(self, *, x: Nowhere = 3) -> None: ...  # noqa: F821

    with pytest.raises(PluginError, match=r"option 'x' of .*Wrong.*'Nowhere'"):
        OptionsSchema(Wrong)


def test_a_type_that_no_config_can_hold_is_its_authors_mistake():
    class Wrong:
        def __init__(self, *, fine: int = 3, array: np.ndarray = None) -> None: ...

    with pytest.raises(PluginError, match=r"Wrong: .* option 'array'"):
        check("  fine: 3", Wrong)


def test_one_value_can_be_checked_alone():
    schema = options_of(Base)
    assert schema.check_value("epochs", 3) == ""
    assert schema.check_value("epochs", 0) == "expected at least 1, got 0"
    assert schema.check_value("not_an_option", object()) == ""


def test_the_json_schema_knows_defaults_descriptions_and_bounds():
    schema = options_of(Base).json_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["epochs"] == {
        "default": 3,
        "description": "Number of epochs.",
        "minimum": 1,
        "title": "epochs",
        "type": "integer",
    }
    assert schema["properties"]["outer"]["default"] == {
        "inner": {"rate": 0.5, "steps": [1], "names": []},
        "limit": None,
    }
    assert "required" not in schema
    json.dumps(schema)


TEXTS = st.sampled_from(["", "x", "fast", "red", "rate", "inner", "5"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats(-1, 2) | TEXTS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXTS, children, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(options_of(Base).options)), JSON_VALUES))
def test_whatever_is_written_is_either_taken_or_explained(cfg: dict[str, Any]):
    options, problems = options_of(Base).validate(cfg, Place(parse_source("cfg: 1"), ("cfg",)), "toy")
    assert bool(options) != bool(problems)
    assert all(problem.key.startswith("cfg.") and problem.message for problem in problems)
