/* The port of any core: Serial of the Arduino API, a UART or native USB. */
#include "capabilities.h"

#ifndef LINE_RENESAS_UART

#include <Arduino.h>

#include "serial_port.h"

#ifdef ARDUINO_ARCH_ESP32

/* Its driver stops taking bytes when the next up to 120 of them might not fit, so that available() does not report it. What it cannot take in
 * time, full or with the flash erased, the UART loses: it holds 128. */
static volatile bool lost;

static void receive_failed(hardwareSerial_error_t error)
{
    if (error == UART_FIFO_OVF_ERROR)
        lost = true;
}

#endif

void port_begin(void)
{
#ifdef ARDUINO_ARCH_ESP32
    Serial.setRxBufferSize(LINE_RECEIVER);
    Serial.onReceiveError(receive_failed);
#endif
    Serial.begin(LINE_BAUD);
}

uint16_t port_read(uint8_t *bytes, uint16_t most)
{
    uint16_t count = 0;
    while (count < most) {
        /* Without DTR native USB may hold bytes that it does not give: then this is -1. */
        int byte = Serial.read();
        if (byte < 0)
            break;
        bytes[count++] = (uint8_t)byte;
    }
    return count;
}

uint16_t port_write(const uint8_t *bytes, uint16_t count)
{
    /* More than this and write() waits for the host, with native USB forever if the host does not read. */
    int room = Serial.availableForWrite();
    if (room <= 0)
        return 0;
    if (count > (unsigned)room)
        count = (uint16_t)room;
    /* Without DTR native USB takes none. */
    return (uint16_t)Serial.write(bytes, count);
}

bool port_overrun(void)
{
#if defined(ARDUINO_ARCH_AVR)
    return Serial.available() >= LINE_RECEIVER - 1; /* the core's ring leaves one place empty */
#elif defined(ARDUINO_ARCH_ESP32)
    bool was = lost;
    lost = false;
    return was;
#elif defined(LINE_RECEIVER)
    return Serial.available() >= LINE_RECEIVER;
#else
    return false;
#endif
}

#endif
