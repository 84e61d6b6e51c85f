"""What ``awnas_core`` itself offers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import awnas_core


def names_for_type_checkers() -> set[str]:
    stub = Path(awnas_core.__file__).with_suffix(".pyi")
    imports = [node for node in ast.walk(ast.parse(stub.read_text())) if isinstance(node, ast.ImportFrom)]
    return {alias.asname for node in imports for alias in node.names}


def test_type_checkers_see_the_names_that_exist():
    assert names_for_type_checkers() == set(awnas_core.__all__)


@pytest.mark.parametrize("name", awnas_core.__all__)
def test_every_name_can_be_imported(name):
    assert getattr(awnas_core, name) is not None


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'Kontroller'"):
        awnas_core.Kontroller  # noqa: B018 - looking it up is the test
