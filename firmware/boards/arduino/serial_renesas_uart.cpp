/* The port of an Uno R4 WiFi: a UART to the ESP32-S3 that is on the USB. The core's UART class has no availableForWrite(), and its
 * write() waits for the last byte; so bytes are handed to the driver below it, which sends by interrupts. */
#include "capabilities.h"

#ifdef LINE_RENESAS_UART

#include <Arduino.h>
#include <r_sci_uart.h>
#include <string.h>

#include "serial_port.h"

#define CHUNK 64

static uart_ctrl_t *driver;

/* The driver's state is private to the class, but its interrupts know it. */
static uart_ctrl_t *find_driver(elc_event_t transmit)
{
    for (int irq = 0; irq < (int)BSP_ICU_VECTOR_MAX_ENTRIES; irq++)
        if (R_ICU->IELSR_b[irq].IELS == (uint32_t)transmit)
            return R_FSP_IsrContextGet((IRQn_Type)irq);
    return NULL;
}

void port_begin(void)
{
    Serial.begin(LINE_BAUD);
    driver = find_driver(ELC_EVENT_SCI9_TXI);
}

uint16_t port_read(uint8_t *bytes, uint16_t most)
{
    uint16_t count = 0;
    while (count < most && Serial.available() > 0)
        bytes[count++] = (uint8_t)Serial.read();
    return count;
}

uint16_t port_write(const uint8_t *bytes, uint16_t count)
{
    /* The driver reads them while it sends. It would overwrite a last byte that is not yet on its way. */
    static uint8_t sending[CHUNK];
    const sci_uart_instance_ctrl_t *state = (const sci_uart_instance_ctrl_t *)driver;
    if (!state || state->tx_src_bytes != 0 || !state->p_reg->SSR_b.TDRE)
        return 0;
    if (count > CHUNK)
        count = CHUNK;
    memcpy(sending, bytes, count);
    return R_SCI_UART_Write(driver, sending, count) == FSP_SUCCESS ? count : 0;
}

bool port_overrun(void)
{
    return Serial.available() >= LINE_RECEIVER;
}

#endif
