/* The world around a fake Arduino. */
#ifndef FAKE_H
#define FAKE_H

#include <deque>
#include <stdint.h>
#include <vector>

#define FAKE_BLOCKS 4
#define FAKE_BLOCK_BYTES 32

struct Fake {
    uint64_t micros = 0;
    uint32_t conversion_us = 100;         /* what analogRead() takes */
    int resolution = 0;
    bool led = false;
    std::deque<uint8_t> received;         /* in the core's receiver, at most LINE_RECEIVER */
    uint32_t dropped = 0;                 /* bytes that found it full */
    std::deque<uint8_t> sent;             /* in the core's transmitter, until the host reads */
    size_t transmitter = 64;              /* bytes that it holds */
    bool dtr = true;
};

extern Fake fake;

/* Flash that takes nothing but what flash can do: bits are programmed from 1 to 0, once after an erase. Cut off after this many bytes of
 * work, it leaves garbage where it was at work and throws. */
struct PowerCut {};

struct FakeFlash {
    std::vector<uint8_t> bytes;
    std::vector<bool> programmed;
    long until_cut = -1;                  /* bytes; -1: never */
    uint32_t garbage = 1;
    unsigned erases[FAKE_BLOCKS] = {0};
    FakeFlash();
};

extern FakeFlash fake_flash;

#endif
