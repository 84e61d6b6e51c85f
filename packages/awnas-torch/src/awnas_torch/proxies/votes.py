"""Several proxies as one number: how many other architectures each beats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]


def vote(scores: Scores, others: Scores) -> Scores:
    """Return for each architecture the share of others that most of its proxies prefer it to; a draw counts half.

    Args:
        scores: ``(n, k)`` for k proxies; larger is better.
        others: ``(m, k)``; the same array ranks a set by itself.

    Source: Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, section 4.1.
    """
    return _shares(np.sign(_preferences(scores, others).sum(-1)))


def rank_sum(scores: Scores, others: Scores) -> Scores:
    """Return for each architecture the share of others that a proxy prefers it to, the mean over proxies.

    Arguments as of :func:`vote`.
    """
    return _shares(_preferences(scores, others).mean(-1))


def _preferences(scores: Scores, others: Scores) -> npt.NDArray[np.int8]:
    """Return ``(n, m, k)``: 1 where a proxy prefers the first, -1 where the other, 0 for a draw."""
    first, other = scores[:, None], others[None]
    return (first > other).astype(np.int8) - (first < other)


def _shares(preferred: npt.NDArray[np.floating | np.signedinteger]) -> Scores:
    return np.asarray((preferred.mean(1) + 1) / 2, dtype=np.float64)
