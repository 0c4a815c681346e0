"""Recordings as instruments write them: the text of a CSV export for each layout that is read, from samples and a rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mtjlearn.noise import SimulatedSmtj

Array = np.ndarray
RATE = 10_000.0


def junction(samples: int = 60, seed: int = 1) -> Array:
    """Volts of the paper's junction at :data:`RATE`."""
    probability = 0.5 * (1 - (1 - 2 * 0.0809) ** 4)  # a quarter of the recording's rate
    return SimulatedSmtj(None, "single", probability=probability, seed=seed).volts(samples)[0, :, 0]


def times(volts: Array, rate: float = RATE, start: float = -0.2) -> Array:
    """Seconds of each sample; the trigger is at 0."""
    return start + np.arange(volts.size) / rate


def rows(*columns: tuple[Array, str], delimiter: str = ",", end: str = "") -> str:
    """Lines of numbers, each column with its format."""
    cells = [[format(value, spec) for value in values] for values, spec in columns]
    return "".join(delimiter.join(row) + end + "\n" for row in zip(*cells, strict=True))


def tektronix_tds(volts: Array, rate: float = RATE) -> str:
    stated = [
        ("Record Length", f"{volts.size:.6e}", ""),
        ("Sample Interval", f"{1 / rate:.6e}", ""),
        ("Trigger Point", f"{volts.size / 2:.6e}", ""),
        ("", "", ""),
        ("Source", "CH1", ""),
        ("Vertical Units", "V", ""),
        ("Vertical Scale", "1.0e-02", ""),
        ("Horizontal Units", "s", ""),
        ("Pt Fmt", "Y", ""),
        ("Probe Atten", "1.000000e+00", ""),
        ("Model Number", "TDS1001C-EDU", ""),
        ("Firmware Version", "FV:v24.26", ""),
    ]
    samples = zip(times(volts, rate), volts, strict=True)
    stated += [("", "", "")] * (volts.size - len(stated))
    return "".join(f"{a},{b},{c},{t:017.12f},{v:10.5f},\n" for (a, b, c), (t, v) in zip(stated, samples, strict=True))


def tektronix_tds3000(volts: Array, rate: float = RATE) -> str:
    stated = [
        ('"Record Length"', str(volts.size), '"Points"'),
        ('"Sample Interval"', f"{1 / rate:g}", "s"),
        ('"Trigger Point"', "30", '"Samples"'),
        ('"Vertical Units"', '"V"', ""),
    ]
    stated += [("", "", "")] * (volts.size - len(stated))
    samples = zip(times(volts, rate), volts, strict=True)
    return "".join(f"{a},{b},{c},{t: .5e},{v: .5e}\n" for (a, b, c), (t, v) in zip(stated, samples, strict=True))


def tektronix_mdo(volts: Array, rate: float = RATE, time_format: str = ".6e") -> str:
    return (
        "Model,MDO3054\nFirmware Version,1.30\n\nWaveform Type,ANALOG\nPoint Format,Y\nHorizontal Units,s\nHorizontal Scale,0.004\n"
        f"Sample Interval,{1 / rate:g}\nRecord Length,{volts.size}\nGating,0.0% to 100.0%\nProbe Attenuation,1\n"
        "Vertical Units,V\nVertical Offset,0\nVertical Scale,0.01\n,\nLabel,\nTIME,CH1\n"
    ) + rows((times(volts, rate), time_format), (volts, ".5f"))


def rigol(volts: Array, rate: float = RATE) -> str:
    head = f"X,CH1,Start,Increment,\nSequence,Volt,{times(volts)[0]:.6e},{1 / rate:.6e}\n"
    return head + rows((np.arange(volts.size), "d"), (volts, ".4e"), end=",")


def rigol_mso5000(volts: Array, rate: float = RATE) -> str:
    head = f"Time(s),CH1V,t0 = {times(volts)[0]:.6e}, tInc = {1 / rate:.6e},\n"
    return head + rows((times(volts, rate), ".6e"), (volts, ".6e"), end=",")


def rigol_ds1000e(volts: Array, rate: float = RATE) -> str:
    return "X,CH1,\nSecond,Volt,\n" + rows((times(volts, rate), ".6e"), (volts, ".4e"), end=",")


def siglent(volts: Array, rate: float = RATE) -> str:
    return (
        f"Record Length,Analog:{volts.size},\nSample Interval,Analog:{1 / rate:.6E},\nVertical Units,CH1:V,,\n"
        "Vertical Scale,CH1:0.01,,\nVertical Offset,CH1:0.0,,\nHorizontal Units,s,\nHorizontal Scale,0.01,\n"
        "Model Number,SDS1104X-E,\nSerial Number,SDS000,\nSoftware Version,8.2.6,\nSource,CH1\nSecond,Value\n"
    ) + rows((times(volts, rate), "+.6E"), (volts, "+.6E"))


def siglent_converted(volts: Array, rate: float = RATE) -> str:
    return (
        f"Record Length,Analog:{volts.size}\nSample Rate,{rate:.1f}\nVertical Scale,CH1: 0.01\nVertical Offset,CH1:0.00000\n"
        "Horizontal Scale, 0.010000000\nSecond,Volt\n"
    ) + rows((times(volts, rate), ".11f"), (volts, ".5f"), delimiter=", ")


def keysight(volts: Array, rate: float = RATE) -> str:
    return "x-axis,1\nsecond,Volt\n" + rows((times(volts, rate), "+.7E"), (volts, "+.5E"))


def picoscope(volts: Array, rate: float = RATE) -> str:
    return "Time,Channel A\n(ms),(mV)\n\n" + rows((1e3 * times(volts, rate), ".8f"), (1e3 * volts, ".8f"))


def picoscope_german(volts: Array, rate: float = RATE) -> str:
    return "Zeit;Kanal A\n(us);(V)\n\n" + rows((1e6 * times(volts, rate), ".4f"), (volts, ".8f"), delimiter=";").replace(".", ",")


def digilent(volts: Array, rate: float = RATE) -> str:
    return (
        "#Digilent WaveForms Oscilloscope Acquisition\n#Device Name: Discovery2\n#Serial Number: SN:000000000000\n"
        f"#Date Time: 2026-01-01 12:00:00.000.000.000\n#Sample rate: {rate:g}Hz\n#Samples: {volts.size}\n#Channel 1\n"
        "#Range: 100 mV/div\n#Offset: 0 V\n\nTime (s),Channel 1 (V)\n"
    ) + rows((times(volts, rate), ".12g"), (volts, ".12g"))


def saleae(volts: Array, rate: float = RATE) -> str:
    return "Time [s],Channel 0\n" + rows((times(volts, rate, 0.0), ".9f"), (volts, ".15f"))


def saleae_logic1(volts: Array, rate: float = RATE) -> str:
    return "Time[s], Channel 0\n" + rows((times(volts, rate, 0.0), ".15f"), (volts, ".6f"), delimiter=", ")


LAYOUTS: dict[str, tuple[Callable[..., str], str, float]] = {
    "tektronix_tds": (tektronix_tds, "Tektronix TDS", 1e-5),
    "tektronix_tds3000": (tektronix_tds3000, "Tektronix TDS", 1e-6),
    "tektronix_mdo": (tektronix_mdo, "Tektronix MDO", 1e-5),
    "rigol": (rigol, "Rigol", 1e-5),
    "rigol_mso5000": (rigol_mso5000, "Rigol", 1e-7),
    "rigol_ds1000e": (rigol_ds1000e, "Rigol", 1e-5),
    "siglent": (siglent, "Siglent", 1e-7),
    "siglent_converted": (siglent_converted, "Siglent", 1e-5),
    "keysight": (keysight, "Keysight", 1e-6),
    "picoscope": (picoscope, "PicoScope", 1e-11),
    "picoscope_german": (picoscope_german, "PicoScope", 1e-8),
    "digilent": (digilent, "Digilent WaveForms", 1e-12),
    "saleae": (saleae, "Saleae", 1e-14),
    "saleae_logic1": (saleae_logic1, "Saleae", 1e-6),
}
"""By name: what writes it, what it is recognised as, and what its digits leave out, in V."""
