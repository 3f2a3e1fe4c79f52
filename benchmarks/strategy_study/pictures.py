"""The pictures of `strategies.py`."""

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
from harness.statistics import alike, critical_difference, mean_ranks

from strategy_study.comparison import TARGET

# Okabe and Ito's colours for all kinds of vision, and a line style of its own for each.
STYLES = {
    "random": ("black", "--"),
    "auto": ("#D55E00", "-"),
    "margin": ("#0072B2", "-"),
    "entropy": ("#56B4E9", "-."),
    "bald": ("#009E73", "-"),
    "badge": ("#CC79A7", "-"),
    "k_center": ("#E69F00", "-"),
    "typiclust": ("#E69F00", ":"),
    "u_herding": ("#009E73", "-."),
}
N_BOUGHT = np.arange(0, 201, 5)
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "skactive",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def save(figure, path):
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def mean_curves(comparison):
    """Return mean scores at N_BOUGHT, of shape (n_strategies, n_points).

    A curve that ends early goes on at its last score.
    """
    of_sets = []
    for of_set in comparison.curves.values():
        runs = [
            [np.interp(N_BOUGHT, c.n_labeled - c.n_labeled[0], c.scores) for c in of]
            for of in of_set
        ]
        of_sets.append(np.mean(runs, axis=1))
    return np.mean(of_sets, axis=0)


def draw_curves(comparison, path):
    """Draw mean scores, and how much they are above those of random."""
    means = mean_curves(comparison)
    difference = 100 * (means - means[comparison.strategies.index("random")])
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for values, ax in zip((means, difference), axes, strict=True):
        for strategy, of in zip(comparison.strategies, values, strict=True):
            color, line = STYLES.get(strategy, ("0.8", "-"))
            is_named = strategy in STYLES
            label = strategy if is_named else None
            ax.plot(N_BOUGHT, of, line, c=color, label=label, zorder=1 + is_named)
        ax.set(xlabel="labels bought", xlim=(0, 200))
        ax.grid(alpha=0.3)
    axes[0].set(ylabel="accuracy / accuracy of all labels")
    axes[1].set(ylabel="difference to random, percent")
    axes[0].plot([], [], c="0.8", label="others")
    axes[0].legend(fontsize=8, frameon=False)
    save(figure, path)


def draw_ranks(comparison, path):
    """Draw the diagram of critical differences: bars join what does not differ."""
    ranks = mean_ranks(comparison.means("area"))
    distance = critical_difference(len(ranks), len(comparison.sets))
    order = np.argsort(ranks, kind="stable")
    bars = alike(ranks, distance)
    n_left = (len(order) + 1) // 2
    low, high = np.floor(ranks.min()), np.ceil(ranks.max())
    top = 0.6 + 0.35 * len(bars)
    height = top + 0.5 * n_left + 1.0
    figure, ax = plt.subplots(figsize=(9, 0.42 * height + 0.6), layout="constrained")
    ax.set(ylim=(height, -1.2), xlim=(low - 2.2, high + 2.2))
    ax.axis("off")
    ax.plot([low, high], [0, 0], c="black", lw=1)
    for tick in np.arange(low, high + 1):
        ax.plot([tick, tick], [0, -0.2], c="black", lw=1)
        ax.text(tick, -0.3, f"{tick:.0f}", ha="center", va="bottom")
    ax.plot([low, low + distance], [height - 0.4] * 2, c="black", lw=2)
    text = f"critical difference {distance:.2f}"
    ax.text(low + distance + 0.1, height - 0.4, text, va="center")
    for i, (start, end) in enumerate(bars):
        ax.plot([start - 0.03, end + 0.03], [0.45 + 0.35 * i] * 2, c="0.4", lw=3)
    for i, j in enumerate(order):
        is_left = i < n_left
        line = top + 0.5 * (i if is_left else len(order) - 1 - i)
        x, side = (low - 0.2, "right") if is_left else (high + 0.2, "left")
        color = "#D55E00" if comparison.strategies[j] == "auto" else "black"
        ax.plot([ranks[j], ranks[j], x], [0, line, line], c=color, lw=0.7)
        name = comparison.strategies[j]
        text = f"{name}  {ranks[j]:.1f}" if is_left else f"{ranks[j]:.1f}  {name}"
        ax.text(x, line, text, ha=side, va="center", color=color)
    save(figure, path)


def draw_gains(comparison, path):
    """Draw the gains over random of each set; a dot is one that a test is sure of."""
    others = [j for j, name in enumerate(comparison.strategies) if name != "random"]
    ranks = mean_ranks(comparison.means("area"))
    others.sort(key=lambda j: ranks[j])
    gains = 100 * comparison.gains()[:, others]
    signs = comparison.decisions()[:, others]
    bound = np.ceil(np.quantile(np.abs(gains), 0.95))
    size = (2.2 + 0.48 * len(others), 1.6 + 0.28 * len(gains))
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    image = ax.imshow(gains, cmap="PuOr_r", vmin=-bound, vmax=bound, aspect="auto")
    for (i, j), gain in np.ndenumerate(gains):
        text = f"{gain:+.1f}".replace("-", "−") + ("•" if signs[i, j] else "")
        color = "white" if abs(gain) > 0.7 * bound else "black"
        ax.text(j, i, text, ha="center", va="center", color=color, fontsize=7)
    names = [comparison.strategies[j] for j in others]
    ax.set_xticks(range(len(names)), names, rotation=50, ha="right")
    ax.set_yticks(range(len(comparison.sets)), comparison.sets)
    ax.spines[:].set_visible(False)
    figure.colorbar(image, ax=ax, label="area less that of random, percent", shrink=0.6)
    save(figure, path)


def draw_saved(comparison, path):
    """Draw the share of labels saved, a ring for each set and a bar for the median."""
    others = [j for j, name in enumerate(comparison.strategies) if name != "random"]
    saved = 100 * comparison.saved()
    known = {j: saved[~np.isnan(saved[:, j]), j] for j in others}
    others = sorted(
        (j for j in others if len(known[j])), key=lambda j: np.median(known[j])
    )
    figure, ax = plt.subplots(figsize=(7, 1 + 0.24 * len(others)), layout="constrained")
    for line, j in enumerate(others):
        ax.plot(known[j], np.full(len(known[j]), line), "o", mfc="none", c="0.5", ms=4)
        ax.plot(np.median(known[j]), line, "|", c="#D55E00", ms=13, mew=3)
    names = [f"{comparison.strategies[j]} ({len(known[j])})" for j in others]
    ax.set_yticks(range(len(names)), names)
    ax.axvline(0, c="black", lw=0.8)
    # Where random needs few labels, one batch more doubles them.
    ax.set(xlim=(-110, 100))
    ax.set_xlabel(f"labels saved at {TARGET:.0%} of the full accuracy, percent")
    ax.grid(axis="x", alpha=0.3)
    save(figure, path)


def draw_all(comparison, everything, folder):
    """Draw the comparison of the reported sets, and the gains on all sets."""
    with plt.rc_context(SETTINGS):
        draw_curves(comparison, folder / "curves.svg")
        draw_ranks(comparison, folder / "ranks.svg")
        draw_saved(comparison, folder / "labels_saved.svg")
        draw_gains(everything, folder / "gains.svg")
