"""Zero-cost proxies: what a network at initialisation tells about its accuracy after training."""

from awnas_torch.proxies.score import ALIASES, PROXIES, initialised, proxy_named, score
from awnas_torch.proxies.votes import rank_sum, vote

__all__ = ["ALIASES", "PROXIES", "initialised", "proxy_named", "rank_sum", "score", "vote"]
