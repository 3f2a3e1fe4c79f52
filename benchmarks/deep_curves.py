"""Learning curves of deep acquisition on images of digits.

The 10,000 test images of MNIST, in random parts of 8,000 to learn from and 2,000 to
test on; a small CNN; 20 labels at first, 14 rounds of 20. All strategies have the same
splits, first labels and seeds. A run of a strategy on a split takes 90 to 780 s.
Finished ones are kept in a file, so that a run can be interrupted and goes on where it
was.

    SKACTIVE_DATA=... python benchmarks/deep_curves.py --splits 5 --budget-seconds 3600
    python benchmarks/deep_curves.py --report
"""

import argparse
import signal
from pathlib import Path

import numpy as np
from harness.data import load
from harness.results import FOLDER, log_run
from sklearn.model_selection import StratifiedShuffleSplit

from skactive import ActiveLearningClassifier
from skactive.deep import (
    DeepEnsembleClassifier,
    LossPredictionClassifier,
    MALSampling,
    MCDropoutClassifier,
    VAALSampling,
)
from skactive.model_selection import ActiveLearningCurve, active_learning_curve

RESULTS = FOLDER / "deep_curves.jsonl"
IMAGE = (1, 28, 28)


def cases():
    """Return {name: parameters} of the strategies that are compared."""
    net = {"image_shape": IMAGE, "max_epochs": 50, "lr": 0.003, "random_state": 0}
    # Fewer than their defaults, so that it runs on a processor.
    sample = {"max_epochs": 10, "max_unlabeled": 2000}
    dropout = MCDropoutClassifier(n_members=25, **net)
    ensemble = DeepEnsembleClassifier(n_members=5, **net)
    loss = LossPredictionClassifier(**net)
    mal = MALSampling(image_shape=IMAGE, **sample)
    return {
        "random": {"estimator": dropout, "strategy": "random"},
        "entropy": {"estimator": dropout, "strategy": "entropy"},
        "bald": {"estimator": dropout, "strategy": "bald"},
        "variation_ratio": {"estimator": dropout, "strategy": "variation_ratio"},
        "badge": {"estimator": dropout, "strategy": "badge"},
        "ensemble, variation_ratio": {
            "estimator": ensemble,
            "strategy": "variation_ratio",
        },
        "core-set": {"estimator": dropout, "strategy": "k_center"},
        "loss prediction": {"estimator": loss, "strategy": "loss_prediction"},
        # With the fully connected networks.
        "vaal": {"estimator": dropout, "strategy": VAALSampling(**sample)},
        "mal": {"estimator": dropout, "strategy": mal},
    }


def measure(args):
    """Run what is missing, one strategy after the other."""
    data = load("mnist10k")
    X = (data[0] / 255.0).astype(np.float32)
    known = cases()
    clf = ActiveLearningClassifier(
        known["random"]["estimator"], batch_size=20, budget=280
    )
    for name in args.strategies or known:
        active_learning_curve(
            clf,
            X,
            data[1],
            strategies={name: known[name]},
            initial=20,
            cv=StratifiedShuffleSplit(args.splits, test_size=2000, random_state=0),
            n_jobs=args.n_jobs,
            random_state=0,
            path=args.out,
            verbose=1,
        )


def report(path):
    """Print accuracies with standard errors, and the comparison with random."""
    curves = ActiveLearningCurve.load(path)
    at = (40, 100, 200, 300)
    print(f"accuracy in percent ± standard error over {curves.n_splits} splits")
    print(f"{'':27}" + "".join(f"{n:>6} labels" for n in at))
    for name in curves.strategies:
        n_labeled, scores = curves.curve(name)
        chosen = 100 * scores[:, np.isin(n_labeled, at)]
        errors = chosen.std(axis=0, ddof=1) / np.sqrt(len(chosen))
        cells = zip(chosen.mean(axis=0), errors, strict=True)
        print(f"{name:27}" + "".join(f"  {m:5.1f} ±{e:4.1f}" for m, e in cells))
    print()
    print(curves.summary(baseline="random", corrected=False))


def out_of_time(*_):
    raise SystemExit("The time is up; run it again to go on.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--strategies", nargs="*")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--budget-seconds", type=int, default=7200)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="run nothing, report")
    args = parser.parse_args()
    if args.report:
        report(args.out)
        return
    log_run(args.out)
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(args.budget_seconds)
    measure(args)


if __name__ == "__main__":
    main()
