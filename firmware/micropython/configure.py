"""Checks a CONFIGURE field by field and lays the network out. commands.py calls it; a checkpoint asks configure_fits()."""

if False:
    from kinds import Device

import struct

import bounds
import learner
from messages import (
    ERROR_TOO_LARGE,
    FIELD_CONFIGURE_DECORRELATE,
    FIELD_CONFIGURE_DECORRELATION_RATE,
    FIELD_CONFIGURE_LOSS,
    FIELD_CONFIGURE_NOISE_SOURCE,
    FIELD_CONFIGURE_OPTIONS,
    FIELD_CONFIGURE_ROUNDING,
    FIELD_CONFIGURE_RULE,
    FIELD_CONFIGURE_SEED,
    FIELD_CONFIGURE_SIGMA,
    FIELD_CONFIGURE_SIZES,
    FIELD_CONFIGURE_SLOPE,
    FIELD_CONFIGURE_WEIGHT_FORMAT,
    LAYOUT_CONFIGURE,
    LOSS_CROSS_ENTROPY,
    MAX_LAYERS,
    NOISE_SOURCE_INJECTED,
    OPTIONS_ANTITHETIC,
    OPTIONS_NORMALISED,
    SIZE_CONFIGURE,
    SIZE_EVALUATE,
)
from session import DONE

# The field of each status of learner.check(), in their order from BAD_LOSS on; check() never gives TOO_LARGE.
_FIELD_OF = (
    FIELD_CONFIGURE_LOSS,
    FIELD_CONFIGURE_WEIGHT_FORMAT,
    FIELD_CONFIGURE_ROUNDING,
    FIELD_CONFIGURE_DECORRELATE,
    FIELD_CONFIGURE_SIGMA,
    FIELD_CONFIGURE_DECORRELATION_RATE,
    FIELD_CONFIGURE_SEED,
    FIELD_CONFIGURE_SIZES,
    FIELD_CONFIGURE_SIZES,
    0,
    FIELD_CONFIGURE_RULE,
    FIELD_CONFIGURE_SLOPE,
)


def _read_config(payload: memoryview, size_count: int) -> learner.Config:
    config = learner.Config()
    (
        config.loss,
        config.weight_format,
        config.rounding,
        options,
        config.decorrelate,
        _,
        config.rule,
        config.slope,
        config.sigma,
        config.noise_std,
        config.learning_rate,
        config.decorrelation_rate,
        config.seed,
    ) = struct.unpack_from(LAYOUT_CONFIGURE, payload)
    config.normalised = options & OPTIONS_NORMALISED != 0
    config.antithetic = options & OPTIONS_ANTITHETIC != 0
    config.layers = size_count - 1
    config.sizes = struct.unpack_from("<%dH" % size_count, payload, SIZE_CONFIGURE)
    return config


def configure_fits(config: learner.Config, max_payload: int) -> bool:
    """Whether the longest messages about one sample fit: an EVALUATE, which needs to hold the targets alone, and a PREDICTION."""
    targets = config.sizes[config.layers]
    if config.loss == LOSS_CROSS_ENTROPY:
        if targets > max_payload // 2:
            return False
        targets = 1
    return targets <= (max_payload - SIZE_EVALUATE) // 2


def configure_arena_bytes(config: learner.Config, max_payload: int) -> int:
    """Bytes of arena that it takes, with room for a sample behind it if one does not fit a message."""
    needed = learner.arena_bytes(config)
    inputs, targets = config.sizes[0], 1 if config.loss == LOSS_CROSS_ENTROPY else config.sizes[config.layers]
    return bounds.with_sample(needed, inputs, targets) if inputs + targets > (max_payload - SIZE_EVALUATE) // 2 else needed


def command_configure(device: Device, payload: memoryview) -> int:
    """CONFIGURE: on any error the network is left as it was."""
    board = device.board
    size_count = (len(payload) - SIZE_CONFIGURE) // 2
    if not 2 <= size_count <= MAX_LAYERS + 1:
        return device.out_of_range(FIELD_CONFIGURE_SIZES)
    options, noise_source = payload[3], payload[5]
    if options & ~(OPTIONS_NORMALISED | OPTIONS_ANTITHETIC):
        return device.out_of_range(FIELD_CONFIGURE_OPTIONS)
    if noise_source > NOISE_SOURCE_INJECTED:
        return device.out_of_range(FIELD_CONFIGURE_NOISE_SOURCE)

    config = _read_config(payload, size_count)
    status = learner.check(config)
    if status != learner.OK:
        return device.out_of_range(_FIELD_OF[status - learner.BAD_LOSS])
    needed = configure_arena_bytes(config, device.session.max_payload)
    if needed > board.arena_bytes:
        return device.refuse(ERROR_TOO_LARGE, needed - board.arena_bytes)
    if not configure_fits(config, device.session.max_payload):
        return device.out_of_range(FIELD_CONFIGURE_SIZES)

    device.net.configure(config, device.arena, board.arena_bytes)
    device.configured = True
    device.blobs.init()
    device.filled = 0
    device.forget_metrics()
    device.autonomous.configured()
    intake = device.intake
    if noise_source != intake.source:
        device.stream.stop()
    intake.choose(noise_source)
    intake.noise.forget()
    intake.health.forget()
    device.telemetry.start(device.telemetry.interval)
    return DONE
