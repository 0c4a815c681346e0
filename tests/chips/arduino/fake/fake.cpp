/* The fake Arduino: pins, clock and serial port, which board.cpp moves and looks at. */
#include <cstdio>
#include <cstdlib>

#include "Arduino.h"
#include "fake.h"

Fake fake;
FakeSerial Serial;

unsigned long micros()
{
    return (unsigned long)(uint32_t)fake.micros;
}

void pinMode(uint8_t, uint8_t)
{
}

void digitalWrite(uint8_t, uint8_t value)
{
    fake.led = value == HIGH;
}

int analogRead(uint8_t pin)
{
    static uint32_t state = 1;
    fake.micros += fake.conversion_us;
    if (pin > A0 && pin < A0 + 8)
        return 1000 + pin - A0;
    if (pin != A0)
        abort();
    state = state * 1664525u + 1013904223u;
    return state >> 31 ? 140 : 120;
}

void analogReadResolution(int bits)
{
    fake.resolution = bits;
}

void noInterrupts()
{
}

void interrupts()
{
}

void FakeSerial::begin(unsigned long)
{
}

int FakeSerial::available()
{
    return (int)fake.received.size();
}

int FakeSerial::availableForWrite()
{
    return (int)(fake.transmitter - fake.sent.size());
}

int FakeSerial::read()
{
    if (!fake.dtr || fake.received.empty())
        return -1;
    int byte = fake.received.front();
    fake.received.pop_front();
    return byte;
}

size_t FakeSerial::write(const uint8_t *bytes, size_t count)
{
    if (count > (size_t)availableForWrite()) {
        fputs("write() would wait for the host\n", stderr);
        abort();
    }
    if (!fake.dtr)
        return 0;
    fake.sent.insert(fake.sent.end(), bytes, bytes + count);
    return count;
}
