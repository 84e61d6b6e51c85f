"""Zero-cost proxies: what a network at initialisation tells about its accuracy after training."""

from awnas_torch.proxies.score import PROXIES, score

__all__ = ["PROXIES", "score"]
