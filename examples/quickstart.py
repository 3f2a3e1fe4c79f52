"""
How many labels does active learning save?
==========================================

Only 20 out of about a thousand images of handwritten digits are labelled. More labels
can be bought, ten at a time. One learner buys the labels of random images; the other
one queries the images about which its own model is least sure (``margin``). Both train
the same logistic regression. Which one learns faster?

Run it with ``python quickstart.py``. It takes well under a minute, prints the results
and saves the learning curves as ``learning_curve.png``.
"""

import matplotlib

matplotlib.use("Agg")  # draw to a file, not to the screen

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skactive import ActiveLearningClassifier
from skactive.datasets import hide_labels
from skactive.oracles import SimulatedOracle
from skactive.plotting import ActiveLearningCurveDisplay

STRATEGIES = {"random": "tab:gray", "margin": "tab:blue"}
SEEDS = range(10)
N_LABELED = 20
BUDGET = 300


def learn(strategy, seed, ax):
    """Buy labels with one strategy; return the numbers of labels and the accuracies."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, test_size=0.4, stratify=y, random_state=seed
    )

    # The known labels: 20 of them, and -1 everywhere else.
    y_known = hide_labels(y_train, N_LABELED, random_state=seed)

    # The oracle knows the other labels. In practice it is a function of yours that
    # shows
    # the rows to a person, or starts an experiment; here it looks them up.
    oracle = SimulatedOracle(y_train)

    # The classifier that buys labels.
    clf = ActiveLearningClassifier(
        LogisticRegression(max_iter=1000),
        oracle=oracle,
        strategy=strategy,
        batch_size=10,
        budget=BUDGET,
        random_state=seed,
    )
    # The ids tell the oracle which rows it is asked about.
    clf.fit(X_train, y_known, sample_ids=np.arange(len(X_train)))

    # The classifier records when each label was bought, so every round can be replayed
    # and scored on the test images. No strategy has ever seen these.
    curve = ActiveLearningCurveDisplay.from_estimator(
        clf,
        X_train,
        X_test,
        y_test,
        ax=ax,
        name=f"{strategy}, each split" if seed == SEEDS[0] else "_",
        color=STRATEGIES[strategy],
        alpha=0.2,
        marker="",
    )
    return curve.n_labeled, curve.scores


def labels_needed(n_labeled, scores, accuracy):
    """Return the number of labels that first reached an accuracy; nan if none did."""
    reached = np.flatnonzero(scores >= accuracy)
    return n_labeled[reached[0]] if len(reached) else np.nan


def mean_and_spread(values):
    return f"{np.mean(values):4.0f} ± {np.std(values, ddof=1):2.0f}"


def summary(values):
    """Return mean and standard deviation over the seeds that reached it."""
    values = np.asarray(values, dtype=float)
    n_there = np.isfinite(values).sum()
    if n_there < 2:
        return f"in {n_there} of {len(values)}"
    text = mean_and_spread(values[np.isfinite(values)])
    return text if n_there == len(values) else f"{text} (in {n_there})"


# Use ten different splits and first labels: one run proves nothing.
figure, ax = plt.subplots()
curves = {
    strategy: [learn(strategy, seed, ax) for seed in SEEDS] for strategy in STRATEGIES
}

print(f"Accuracy on test images, means over {len(SEEDS)} splits\n")
print("labels   random   margin")
n_labeled = curves["random"][0][0]
means = {
    strategy: np.mean([scores for _, scores in runs], axis=0)
    for strategy, runs in curves.items()
}
for point in range(0, len(n_labeled), 5):
    random, margin = means["random"][point], means["margin"][point]
    print(f"{n_labeled[point]:6}   {random:6.3f}   {margin:6.3f}")

print("\nLabels needed for an accuracy, mean ± standard deviation over the splits")
print(f"(over those that reached it with at most {n_labeled[-1]} labels)\n")
print(f"accuracy   {'random':17}{'margin':17}saved")
for accuracy in (0.80, 0.85, 0.90, 0.925, 0.95):
    needed = {
        strategy: np.array([labels_needed(*run, accuracy) for run in runs])
        for strategy, runs in curves.items()
    }
    saved = needed["random"] - needed["margin"]
    print(
        f"{accuracy:8.1%}   {summary(needed['random']):17}"
        f"{summary(needed['margin']):17}{summary(saved)}"
    )

# The most important comparison: how many labels does margin sampling need to be as good
# as random sampling with all of its labels?
needed = [
    labels_needed(*margin_run, random_run[1][-1])
    for random_run, margin_run in zip(curves["random"], curves["margin"], strict=True)
]
print(
    f"\nWith all {n_labeled[-1]} labels, random sampling is right on "
    f"{means['random'][-1]:.1%} of the test images.\n"
    f"Margin sampling reaches this with {summary(needed).strip()} labels, "
    f"{1 - np.nanmean(needed) / n_labeled[-1]:.0%} fewer."
)

for strategy, color in STRATEGIES.items():
    mean_curve = ActiveLearningCurveDisplay(
        n_labeled=n_labeled, scores=means[strategy], score_name="Accuracy"
    )
    mean_curve.plot(ax, name=f"{strategy}, mean", color=color)
ax.set_title("Handwritten digits: labels bought and accuracy")
figure.savefig("learning_curve.png", dpi=120)
print("\nThe learning curves are in learning_curve.png.")
