"""The controller ``rl``: a recurrent policy over the decisions of cells, and the agents that train it."""
