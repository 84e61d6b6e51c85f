"""Configs of the older layer are taken, and what is dropped is said."""

from awnas_controllers import legacy


def test_the_mode_of_a_controller_is_dropped_with_its_reason():
    cfg, notes = legacy.controller_options({"mode": "eval", "independent_cell_group": True})
    assert cfg == {"independent_cell_group": True}
    assert notes == ["mode is dropped: every call of sample now says what it is for"]


def test_the_batch_update_of_an_agent_is_dropped_with_its_reason():
    cfg, notes = legacy.agent_options({"batch_update": True, "alpha": 0.9})
    assert cfg == {"alpha": 0.9}
    assert notes == ["batch_update is dropped: agents always learn from a whole batch"]


def test_the_inspection_of_the_hessian_is_dropped_with_its_reason():
    cfg, notes = legacy.differentiable_options(
        {"use_prob": True, "inspect_hessian_every": -1, "mode": "eval"}
    )
    assert cfg == {"use_prob": True}
    assert [note.split(" is dropped: ")[0] for note in notes] == ["mode", "inspect_hessian_every"]


def test_options_of_today_pass_without_a_note():
    assert legacy.agent_options({"alpha": 0.9}) == ({"alpha": 0.9}, [])
