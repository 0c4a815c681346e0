/* What the ATmega's converter uses of the Arduino API, on the bare chip. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <avr/interrupt.h>
#include <avr/io.h>

#define A0 14
#define noInterrupts() cli()
#define interrupts() sei()

#endif
