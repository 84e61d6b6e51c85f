"""What every controller promises."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Evaluation, Purpose, Rollout
from awnas_core.run.state import load_state, save_state
from awnas_core.testing.compare import same
from awnas_core.testing.component import ComponentContract
from awnas_core.testing.toys import ToySpace
