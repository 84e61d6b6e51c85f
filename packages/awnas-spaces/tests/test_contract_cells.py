"""Cell spaces keep the contract of the test kit."""

from awnas_core.testing import SearchSpaceContract


class TestCnn(SearchSpaceContract):
    component = "cnn"


class TestCnnOfCountableSize(SearchSpaceContract):
    component = "cnn"
    cfg = {
        "num_cell_groups": 1,
        "num_layers": 2,
        "cell_layout": [0, 0],
        "reduce_cell_groups": [],
        "num_steps": 2,
        "num_node_inputs": 1,
        "shared_primitives": ["none", "skip_connect", "sep_conv_3x3"],
    }


class TestCnnWithGroupsOfTheirOwn(SearchSpaceContract):
    component = "cnn"
    cfg = {
        "num_steps": [2, 3],
        "loose_end": True,
        "cell_shared_primitives": [
            ["skip_connect", "sep_conv_3x3"],
            ["max_pool_3x3", "skip_connect", "none"],
        ],
    }


class TestCnnWithOutputsOfTheirOwn(SearchSpaceContract):
    component = "cnn"
    cfg = {"concat_nodes": [[3, 4], [1, 4]], "num_init_nodes": 1}


class TestEnas(SearchSpaceContract):
    component = "enas"


class TestNb301(SearchSpaceContract):
    component = "nb301"


class TestEnsemble(SearchSpaceContract):
    component = "ensemble"


class TestEnsembleOfPairs(SearchSpaceContract):
    component = "ensemble"
    cfg = {"inner_search_space_type": "nb301", "ensemble_size": 2, "mutate_every_member": False}


class TestEnsembleOfAnotherGrammar(SearchSpaceContract):
    component = "ensemble"
    cfg = {"inner_search_space_type": "nasbench-201"}
