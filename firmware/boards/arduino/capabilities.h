/* What the Arduino core in use can do, and the sizes chosen for it:
 * DEVICE_BOARD   in HELLO, at most 11 characters; platformio.ini sets it for each board
 * BOARD_ARENA    bytes for a network; the rest is the core's and the stack's
 * ADC_BITS, ADC_RATE (codes per second), ADC_REFERENCE (mV at full scale), CODES_WAITING (codes; a power of two)
 * MEMORY_CACHE   bytes of the largest block of nonvolatile memory, where bytes are not written alone
 * ANALOG_PINS    pins 1 .. 7 of the device, where they are not A1 .. A7
 * LINE_RECEIVER  bytes that the core holds until they are read; none with native USB, which makes the host wait
 * and which of the files that do the same for different chips is compiled:
 * CHIP_OTHER, or the core's ARDUINO_ARCH_...     chip_*.cpp
 * ADC_PACED, ADC_AVR, ...                        converter_*.cpp
 * NONVOLATILE_NONE, NONVOLATILE_AVR, ...         nonvolatile_*.cpp; NONVOLATILE_OTHER where a build brings its own */
#ifndef CAPABILITIES_H
#define CAPABILITIES_H

#if defined(ARDUINO_ARCH_AVR)

/* Arduino Mega 2560, 8 KB. An ADC clock of 125 kHz: beyond 200 kHz it has no 10 bits. 13 clocks a conversion. */
#define ADC_AVR 1
#define NONVOLATILE_AVR 1
#define BOARD_ARENA 3072
#define ADC_BITS 10
#define ADC_RATE (F_CPU / 128 / 13)
#ifndef ADC_REFERENCE
#define ADC_REFERENCE 1100            /* internal; 2560 is internal too, 5000 the supply */
#endif
#define CODES_WAITING 128             /* 13 ms */
#define LINE_RECEIVER SERIAL_RX_BUFFER_SIZE

#elif defined(ARDUINO_ARCH_RENESAS)

/* Arduino Uno R4, 32 KB, 8 KB of them the core's heap whether it is used or not. The stack takes less than 2 KB, interrupts included, by
 * the compiler's figures for each function; nothing guards its end. */
#define ADC_RENESAS 1
#define NONVOLATILE_RENESAS 1
#define MEMORY_CACHE 1024
#define ADC_BITS 14
#define ADC_RATE 40000
#define ADC_REFERENCE 5000            /* AVCC0, the supply */
#define CODES_WAITING 512             /* 13 ms */
#if defined(NO_USB)                   /* Uno R4 WiFi: a UART to the chip that is on the USB; the core has three, with rings */
#define BOARD_ARENA 10240
#define LINE_RENESAS_UART 1
#define LINE_RECEIVER 512
#else
#define BOARD_ARENA 12288
#endif

#elif defined(ARDUINO_ARCH_RP2040)

/* Raspberry Pi Pico, 264 KB. */
#define ADC_RP2040 1
#define NONVOLATILE_RP2040 1
#define MEMORY_CACHE 4096
#define BOARD_ARENA 131072
#define ADC_BITS 12
#define ADC_RATE 40000
#define ADC_REFERENCE 3300
#define CODES_WAITING 512             /* 13 ms */

#elif defined(ARDUINO_ARCH_ESP32)

/* 320 KB. analogRead() takes about a tenth of a millisecond, so that two of them leave most of it to learning. */
#define ADC_PACED 1
#define NONVOLATILE_ESP32 1
#define MEMORY_CACHE 4096
#define ANALOG_PINS {39, 32, 33, 34, 35, 37, 38}
#define BOARD_ARENA 65536
#define ADC_BITS 12
#define ADC_RATE 2000
#define ADC_REFERENCE 1100            /* without attenuation; what lies below about 100 mV is not seen */
#define LINE_RECEIVER 1024

#else

/* Any other core: what the Arduino API alone promises, and sizes by build_flags. */
#define CHIP_OTHER 1
#define ADC_PACED 1
#ifndef NONVOLATILE_OTHER
#define NONVOLATILE_NONE 1
#endif
#if !defined(BOARD_ARENA) || !defined(LINE_RECEIVER)
#error "Tell by build_flags what this board has: -DBOARD_ARENA=8192 (bytes for a network), -DLINE_RECEIVER=256 (bytes that Serial holds)"
#endif
#ifndef ADC_BITS
#define ADC_BITS 10
#endif
#ifndef ADC_RATE
#define ADC_RATE 1000
#endif
#ifndef ADC_REFERENCE
#define ADC_REFERENCE 3300
#endif

#endif

#ifndef MEMORY_CACHE
#define MEMORY_CACHE 1
#endif

#ifndef ANALOG_PINS
#define ANALOG_PINS {A0 + 1, A0 + 2, A0 + 3, A0 + 4, A0 + 5, A0 + 6, A0 + 7}
#endif

#ifndef DEVICE_BOARD
#define DEVICE_BOARD "arduino"
#endif

#ifndef ADC_PIN
#define ADC_PIN A0
#endif

/* Bits per second of a UART; native USB ignores it. 250000 is exact on every chip above, and what the host opens boards with. */
#ifndef LINE_BAUD
#define LINE_BAUD 250000
#endif

#endif
