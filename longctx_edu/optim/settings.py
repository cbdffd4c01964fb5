"""What the optimisers share: their settings' ranges, and the walk over parameters."""

from collections.abc import Iterator

from torch import Tensor
from torch.optim import Optimizer

__all__: list[str] = []


def need(**settings: float) -> None:
    """Refuse a setting that is negative, or a share that is not below 1.

    Args:
        settings: By name; `momentum` and `beta...` are shares.

    Raises:
        ValueError: If one is outside its range.

    Example:
        >>> need(lr=0.1, momentum=0.9)
    """
    for name, value in settings.items():
        share = name.startswith(("momentum", "beta"))
        if not (0 <= value < 1 if share else value >= 0):
            wanted = f"need {name} from 0 to below 1" if share else f"need {name} >= 0"
            raise ValueError(f"{wanted}, got {name}={value}")


def moving(optimizer: Optimizer) -> Iterator[tuple[dict, Tensor, dict]]:
    """Give each parameter that has a gradient, with its group and its state.

    Args:
        optimizer: Whose parameters.
    """
    for group in optimizer.param_groups:
        for theta in group["params"]:
            if theta.grad is not None:
                yield group, theta, optimizer.state[theta]
