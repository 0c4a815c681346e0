/* What the ATmega's converter uses of the Arduino API, on the bare chip. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/delay.h>

#define A0 14
#define noInterrupts() cli()
#define interrupts() sei()
#define delay(milliseconds) _delay_ms(milliseconds)

#endif
