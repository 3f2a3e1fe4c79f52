"""Learning curves of deep acquisition on images of digits.

The 10,000 test images of MNIST, in random parts of 8,000 to learn from and 2,000 to
test on; a small CNN; 20 labels at first, 14 rounds of 20. All strategies have the same
splits, first labels and seeds. Finished runs are kept in a file, so that it can be
interrupted and goes on where it was:

    SKACTIVE_DATA=... python benchmarks/deep_curves.py --splits 5 --budget-seconds 3600

With a GPU, ``--full`` takes more epochs and all unlabelled rows for the adversarial
strategies.
"""

import argparse
import os
import signal
from pathlib import Path

import numpy as np
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

RESULTS = Path(__file__).parent / "results" / "deep_curves.jsonl"
IMAGE = (1, 28, 28)


def load():
    """Return the images with values in [0, 1], flattened, and their labels."""
    data = np.load(Path(os.environ["SKACTIVE_DATA"]) / "mnist10k.npz")
    return (data["X"] / 255.0).astype(np.float32), data["y"]


def variants(*, full):
    """Return {name: parameters} of the strategies that are compared."""
    net = {
        "image_shape": IMAGE,
        "max_epochs": 100 if full else 50,
        "lr": 0.003,
        "random_state": 0,
    }
    sample = {"max_epochs": 100} if full else {"max_epochs": 10, "max_unlabeled": 2000}
    dropout = MCDropoutClassifier(n_members=25, **net)
    found = {
        name: {"estimator": dropout, "strategy": name}
        for name in ("random", "entropy", "bald", "variation_ratio", "badge")
    }
    return found | {
        "ensemble, variation_ratio": {
            "estimator": DeepEnsembleClassifier(n_members=5, **net),
            "strategy": "variation_ratio",
        },
        "core-set": {"estimator": dropout, "strategy": "k_center"},
        "loss prediction": {
            "estimator": LossPredictionClassifier(**net),
            "strategy": "loss_prediction",
        },
        "vaal": {
            "estimator": dropout,
            # On a CPU, with the fully connected networks.
            "strategy": VAALSampling(image_shape=IMAGE if full else None, **sample),
        },
        "mal": {
            "estimator": dropout,
            "strategy": MALSampling(image_shape=IMAGE, **sample),
        },
    }


def run(args):
    """Run what is missing, one strategy after the other."""
    X, y = load()
    known = variants(full=args.full)
    clf = ActiveLearningClassifier(
        known["random"]["estimator"], batch_size=20, budget=280
    )
    for name in args.strategies or known:
        active_learning_curve(
            clf,
            X,
            y,
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
    raise TimeoutError("the time is up; run it again to go on")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--strategies", nargs="*")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--budget-seconds", type=int, default=7200)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--report", action="store_true", help="print what there is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    if not args.report:
        signal.signal(signal.SIGALRM, out_of_time)
        signal.alarm(args.budget_seconds)
        try:
            run(args)
        except TimeoutError as error:
            print(error)
        signal.alarm(0)
    report(args.out)


if __name__ == "__main__":
    main()
