"""What a person in a notebook sees of boards and results, and what they are advised when numbers are not a board's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from model_support import random_model, rows_for

from mtjlearn.board import NoiseChunk, NoiseRecording
from mtjlearn.datasets import load, quantise
from mtjlearn.discovery import open_board
from mtjlearn.models import predict
from mtjlearn.network import Loss, Network
from mtjlearn.runs import Checkpoint

X = np.array([[4096, -4096], [0, 2048]], dtype=np.int16)


@pytest.fixture
def board():
    with open_board("inprocess") as opened:
        yield opened


def test_a_board_says_what_and_where_it_is(board):
    assert repr(board) == f"<Board inprocess at {board.info.url}, firmware {board.info.build}, no known network, 0 samples trained>"
    board.configure(Network((2, 1)))
    board.train(X, X[:, :1])
    assert repr(board).endswith("2-1, 2 samples trained>")
    board.close()
    assert "Board inprocess" in repr(board)


def test_results_do_not_print_all_their_numbers():
    data = load("iris", seed=0)
    model = random_model((4, 8, 3))
    network = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY)
    shown = {
        repr(data): "<Dataset 'iris': 4 inputs, 3 classes, 120 samples to learn and 30 to test with>",
        repr(quantise(data, network)): "<Quantised: 4 inputs, 120 samples to learn and 30 to test with, 0 values clipped>",
        repr(model): "<Model 4-8-3 of 'random', 3 classes, int16 weights>",
        repr(NoiseChunk(70, 0, np.zeros(5, np.uint16))): "<NoiseChunk of 5 codes from number 70 on>",
        repr(
            NoiseRecording(np.arange(9, dtype=np.uint16), (), 9615)
        ): "<NoiseRecording of 9 codes, 0 to 8, 9,615 per second, 0 holes>",
        repr(Checkpoint(1, 0, 1200, np.zeros(67, np.int16))): "<Checkpoint after 1,200 steps (1 epochs): 67 int16 weights>",
    }
    assert list(shown) == list(shown.values())
    assert repr(predict(model, rows_for(model, 10))).startswith("<Predictions for 10 samples by <Model 4-8-3 of 'random'")


def test_real_numbers_are_refused_with_advice(board):
    board.configure(Network((2, 1)))
    for x, target in ((X / 4096, X[:, 0]), (X, X[:, 0] / 4096)):
        with pytest.raises(ValueError, match=r"has type float64; .* 4096 is 1.0: quantise the data first, .*quantise_values\(\)"):
            board.train(x, target)
    board.configure(Network((2, 2), loss=Loss.CROSS_ENTROPY))
    with pytest.raises(ValueError, match=r"classes are integers from 0 on: convert them with \.astype\(int\)"):
        board.train(X, np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="x has type float64"):
        board.predict(X[0] / 4096)


def test_numbers_that_are_next_to_nothing_are_warned_of(board):
    board.configure(Network((2, 1)))
    with pytest.warns(UserWarning, match=r"x is at most 1, which the board reads as 0\.0002, since 4096 is 1\.0") as found:
        board.train(np.sign(X), X[:, :1])
    assert found[0].filename == __file__
    with pytest.warns(UserWarning, match="target is at most 1"):
        board.train(X, np.array([1, -1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        board.train(X, X[:, 0])
        board.train(np.zeros((2, 2), np.int16), X[:, 0])
        board.train(np.zeros((0, 2), np.int16), np.zeros(0, np.int16))
        board.configure(Network((2, 2), loss=Loss.CROSS_ENTROPY))
        board.train(X, np.array([0, 1]))
