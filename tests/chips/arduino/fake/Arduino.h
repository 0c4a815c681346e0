/* What the firmware uses of the Arduino API, played by fake.cpp. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

#define A0 14
#define LED_BUILTIN 13
#define OUTPUT 1
#define HIGH 1
#define LOW 0

unsigned long micros();
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
int analogRead(uint8_t pin);
void analogReadResolution(int bits);
void noInterrupts();
void interrupts();

struct FakeSerial {
    void begin(unsigned long baud);
    int available();
    int availableForWrite();
    int read();
    size_t write(const uint8_t *bytes, size_t count);
};

extern FakeSerial Serial;

void setup();
void loop();

#endif
