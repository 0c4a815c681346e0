"""Repeats what the C frame decoder and encoder did (frame_trace.c): the same calls must have the same results. Runs in MicroPython.

    frame_replay.py TRACE ANSWERS

Writes how many frames were decoded and encoded into the file ANSWERS; a difference ends it with an exception.
"""

import struct
import sys

import frame


def replay(name):
    decoders = {}
    decoded = encoded = 0
    with open(name, "rb") as file:

        def values(layout):
            return struct.unpack("<" + layout, file.read(struct.calcsize("<" + layout)))

        while True:
            kind = file.read(1)
            if not kind:
                return decoded, encoded
            if kind == b"I":
                place, largest = values("QB")
                decoders[place] = frame.Decoder(bytearray(frame.receive_bytes(largest)), largest)
            elif kind == b"D":
                place, next_seq, oldest_seed, count = values("QBIH")
                decoder = decoders[place]
                decoder.next_seq, decoder.oldest_seed = next_seq, oldest_seed
                event = decoder.decode(bytearray(file.read(count)), 0, count)
                wanted, taken, length = values("BHB")
                content = file.read(length)
                assert (event, decoder.taken) == (wanted, taken), (event, decoder.taken, wanted, taken)
                if event == frame.FRAME:
                    decoded += 1
                    header = bytes([decoder.type(), decoder.session(), decoder.seq()])
                    assert header + bytes(decoder.payload()) == content[:-4], (header, content)
            else:
                message, session, seq, seed, length = values("BBBIB")
                buffer = bytearray(frame.transmit_bytes(length))
                buffer[frame.TRANSMIT_PAYLOAD : frame.TRANSMIT_PAYLOAD + length] = file.read(length)
                frame.encode(buffer, message, session, seq, length, seed)
                assert bytes(buffer[1 : 1 + length + frame.ENCODED]) == file.read(length + frame.ENCODED), (message, length)
                encoded += 1


def main():
    with open(sys.argv[2], "w") as answers:
        answers.write("%d frames decoded, %d encoded" % replay(sys.argv[1]))


if __name__ == "__main__":
    main()
