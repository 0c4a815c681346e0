/* Text over the serial port of an Arduino core, which calls the test from setup(). */
#ifdef ARDUINO

#include <Arduino.h>
#ifdef __AVR__
#include <avr/sleep.h>
#endif

#include "report.h"

void report_text(const char *text)
{
    Serial.print(text);
}

void setup()
{
    Serial.begin(115200);
    delay(2000); /* native USB: until the host listens */
    run_tests();
    Serial.flush();
#ifdef __AVR__
    /* A simulator ends when the chip sleeps forever. */
    noInterrupts();
    sleep_mode();
#endif
}

void loop()
{
}

#endif
