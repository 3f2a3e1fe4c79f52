"""Warm starts: from the weights learnt before, shrunk and perturbed."""

import torch

from skactive.deep._training import generator


def shrink_and_perturb(module, state, shrink, noise, seed, parameters=None):
    """Start a network from the weights of another, shrunk and with noise.

    Nothing is done if the shapes are not the same.

    Parameters
    ----------
    module : torch.nn.Module
        The network.

    state : dict of torch.Tensor
        State of the other network.

    shrink : float
        Factor of the weights.

    noise : float
        Standard deviation of the noise.

    seed : int
        Seed of the noise.

    parameters : iterable of torch.nn.Parameter, default=None
        Parameters to shrink and perturb; all of them if None.

    Returns
    -------
    done : bool
        Whether the shapes are the same.

    Notes
    -----
    The noise is as in the paper. The authors' program adds a multiple of newly drawn
    first weights instead, so that a factor of 0 and a multiple of 1 are a fresh start.

    References
    ----------
    .. [1] J. T. Ash, R. P. Adams. "On warm-starting neural network training". NeurIPS
       2020.
    """
    mine = module.state_dict()
    if {n: v.shape for n, v in mine.items()} != {n: v.shape for n, v in state.items()}:
        return False
    module.load_state_dict(state)  # buffers are not shrunk
    source = generator(seed)
    with torch.no_grad():
        for parameter in module.parameters() if parameters is None else parameters:
            drawn = torch.randn(parameter.shape, generator=source)
            # theta <- lambda theta + p, p ~ N(0, sigma^2), section 4 of the paper.
            parameter.mul_(shrink).add_(drawn.to(parameter), alpha=noise)
    return True
