"""The frame codec: what goes in comes out, however the line cuts or damages it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjlearn.wire.frame import MAX_FRAME, OVERHEAD, BadFrame, Frame, FrameDecoder, decode_body, encode_frame
from mtjlearn.wire.messages import MAX_PAYLOAD

BYTE = st.integers(0, 255)
PAYLOAD = st.one_of(
    st.binary(max_size=MAX_PAYLOAD),
    st.integers(0, MAX_PAYLOAD).map(lambda n: bytes(n)),
    st.integers(0, MAX_PAYLOAD).map(lambda n: b"\xff" * n),
)
FRAME = st.builds(Frame, BYTE, BYTE, st.integers(0, 127), PAYLOAD)
"""Of a session that begins."""


def feed_in_pieces(data: bytes, cuts: list[int]) -> list[Frame | BadFrame]:
    decoder = FrameDecoder()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [f for a, b in pairwise(places) for f in decoder.feed(data[a:b])]


@given(FRAME)
def test_encoded_frame_has_zeros_only_at_its_ends_and_the_documented_size(frame: Frame) -> None:
    data = encode_frame(*frame)
    assert len(data) == len(frame.payload) + OVERHEAD <= MAX_FRAME
    assert data[0] == data[-1] == 0
    assert 0 not in data[1:-1]


@given(st.lists(FRAME, max_size=6), st.lists(st.integers(0, 10_000), max_size=12))
def test_frames_survive_any_split(frames: list[Frame], cuts: list[int]) -> None:
    assert feed_in_pieces(b"".join(encode_frame(*f) for f in frames), cuts) == frames


@given(FRAME)
def test_frames_survive_a_split_at_every_byte(frame: Frame) -> None:
    data = encode_frame(*frame)
    assert feed_in_pieces(data, list(range(len(data)))) == [frame]


@given(st.binary(max_size=2000), FRAME)
def test_a_frame_after_any_garbage_is_found(garbage: bytes, frame: Frame) -> None:
    decoder = FrameDecoder()
    found = list(decoder.feed(garbage + encode_frame(*frame)))
    assert found[-1] == frame


@pytest.mark.thorough
@given(FRAME, FRAME, st.data())
def test_damage_never_passes_and_never_costs_the_next_frame(frame: Frame, after: Frame, data: st.DataObject) -> None:
    sent = bytearray(encode_frame(*frame))
    place = data.draw(st.integers(1, len(sent) - 2), label="place")
    kind = data.draw(st.sampled_from(["flip", "drop", "insert"]), label="kind")
    if kind == "flip":
        sent[place] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    elif kind == "drop":
        del sent[place]
    else:
        sent.insert(max(place, 2), data.draw(BYTE, label="byte"))  # a zero before the first byte does no damage
    found = list(FrameDecoder().feed(bytes(sent) + encode_frame(*after)))
    assert found[-1] == after
    # Two frames inside one are possible only if the CRC of a part holds, which it never does here.
    assert all(isinstance(f, BadFrame) for f in found[:-1])
    assert len(found) > 1


@pytest.mark.parametrize("data", [b"\x01" * 300, b"\x05ab", b"\x01\x01\x01\x01\x01\x01\x01\x01"])
def test_reasons_are_named(data: bytes) -> None:
    bad = decode_body(data)
    assert isinstance(bad, BadFrame)
    assert bad.reason in {"too long", "not COBS", "wrong CRC"}


def test_short_bodies_are_bad() -> None:
    assert decode_body(b"\x03ab") == BadFrame("too short", b"\x03ab")


def test_endless_garbage_takes_no_memory_and_counts_once() -> None:
    decoder = FrameDecoder()
    frame = Frame(1, 2, 3, b"payload")
    for _ in range(1000):
        assert not list(decoder.feed(b"\x55" * 1000))
    assert len(decoder._pending) <= MAX_FRAME
    found = list(decoder.feed(encode_frame(*frame)))
    assert [type(f) for f in found] == [BadFrame, Frame]
    assert found[1] == frame


def test_too_large_a_payload_is_refused() -> None:
    with pytest.raises(ValueError, match="241 bytes"):
        encode_frame(1, 1, 1, bytes(MAX_PAYLOAD + 1))
