"""Estimates of a source's min-entropy from its states, after NIST SP 800-90B, 6.3: the smallest of them counts.

Each estimator looks for one kind of regularity; none proves its absence. A generator that none of them knows looks
random to all, so the smallest is an estimate and not a bound. Predictions never reach across a hole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]

_CONFIDENCE = 2.576
"""Standard errors of a one-sided 99.5 % bound, as NIST SP 800-90B uses for its estimates."""
_LAGS = 128
_DEPTHS = 16
_MOST_PREDICTED = 131_072
"""Samples that the predictors look at: more of them cost time and change nothing."""
_RUN = -math.log(0.99)
"""Expected number of runs as long as the longest one seen, at which one is seen with 1 %."""


def estimates(sequences: Sequence[Bits]) -> dict[str, float]:
    """Bits of min-entropy per sample by estimator.

    Args:
        sequences: contiguous states, each at least one sample.
    """
    bits, places = _joined(sequences)
    return {
        "most_common_value": _entropy(_upper(max(int(bits.sum()), int((~bits).sum())), bits.size)),
        "markov": markov(transitions(sequences)),
        "lag_prediction": _predicted(_lag_hits(bits, places)),
        "multi_mmc": _predicted(_context_hits(bits, places)),
    }


def transitions(sequences: Sequence[Bits]) -> NDArray[np.int64]:
    """Counts of state pairs in neighbouring samples, shape (2, 2): [from, to], 0 low and 1 high."""
    counts = np.zeros(4, dtype=np.int64)
    for sequence in sequences:
        counts += np.bincount(2 * sequence[:-1].astype(np.int64) + sequence[1:], minlength=4)
    return counts.reshape(2, 2)


def markov(counts: NDArray[np.int64]) -> float:
    """Min-entropy, bits per sample, of a two-state Markov source with these :func:`transitions` (6.3.3).

    The likeliest long sequence stays low, stays high or alternates; its probability per sample, with transition
    probabilities at their upper 99.5 % bounds, gives the estimate. It is a bound only for sources that are such a chain.
    """
    totals = counts.sum(axis=1, keepdims=True)
    if np.any(totals < 2):
        return 0.0
    share = counts / totals
    bound = np.minimum(1.0, share + _CONFIDENCE * np.sqrt(share * (1 - share) / (totals - 1)))
    if np.any(counts.diagonal() == totals[:, 0]):
        return 0.0
    return _entropy(max(bound[0, 0], bound[1, 1], math.sqrt(bound[0, 1] * bound[1, 0])))


def _joined(sequences: Sequence[Bits]) -> tuple[Bits, NDArray[np.int64]]:
    """The first samples of all sequences in one, and each one's place in its own sequence."""
    places = np.concatenate([np.arange(sequence.size) for sequence in sequences])
    return np.concatenate(sequences)[:_MOST_PREDICTED], places[:_MOST_PREDICTED]


def _lag_hits(bits: Bits, places: NDArray[np.int64]) -> Bits:
    """Whether each sample equals the one 1, 2, ... before it (6.3.8), shape (lags, samples)."""
    hits = np.zeros((min(_LAGS, bits.size), bits.size), dtype=np.bool_)
    for lag, found in enumerate(hits, start=1):
        found[lag:] = (bits[lag:] == bits[:-lag]) & (places[lag:] >= lag)
    return hits


def _context_hits(bits: Bits, places: NDArray[np.int64]) -> Bits:
    """Whether each sample is what most often followed the 1, 2, ... samples before it until then (6.3.9)."""
    hits = np.zeros((_DEPTHS, bits.size), dtype=np.bool_)
    steps = np.where(bits, 1, -1)
    context = np.zeros(bits.size, dtype=np.uint16)
    for depth, found in enumerate(hits, start=1):
        context[depth:] |= bits[:-depth].astype(np.uint16) << np.uint16(depth - 1)
        known = np.flatnonzero(places >= depth)
        order = known[np.argsort(context[known], kind="stable")]
        first = np.ones(order.size, dtype=np.bool_)
        first[1:] = context[order[1:]] != context[order[:-1]]
        before = np.cumsum(steps[order]) - steps[order]
        start = np.maximum.accumulate(np.where(first, np.arange(order.size), 0))
        found[order] = ((before - before[start] >= 0) == bits[order]) & ~first
    return hits


def _predicted(hits: Bits) -> float:
    """Min-entropy, bits per sample, of what the predictor that was best until then gets right."""
    count = hits.shape[1]
    scores = np.cumsum(hits, axis=1, dtype=np.int32)
    best = np.argmax(scores, axis=0)[:-1]
    right = hits[best, np.arange(1, count)]
    if not right.size:
        return 0.0
    return _entropy(max(_upper(int(right.sum()), right.size), _by_longest_run(_longest_run(right), right.size)))


def _longest_run(right: Bits) -> int:
    wrong = np.flatnonzero(~right)
    return int(np.diff(np.concatenate([[-1], wrong, [right.size]])).max()) - 1


def _by_longest_run(longest: int, count: int) -> float:
    """The share of right predictions at which a longer run of them than this is seen with 1 %.

    Runs are rare then, so their number is taken as Poisson's.
    """
    run = longest + 1
    if run > count:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(50):
        share = (low + high) / 2
        expected = share**run * (1 + (count - run) * (1 - share))
        low, high = (share, high) if expected < _RUN else (low, share)
    return low


def _upper(right: int, count: int) -> float:
    """The upper 99.5 % bound of a share; none is under a half, the share of a guess."""
    share = right / count
    bound = share + _CONFIDENCE * math.sqrt(share * (1 - share) / max(count - 1, 1))
    return min(1.0, max(0.5, bound))


def _entropy(share: float) -> float:
    return max(0.0, -math.log2(share))
