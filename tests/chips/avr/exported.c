/* An exported network on the chip: features from a generator, and a checksum of all outputs, so that 1,000 rows need no room.
 * The test computes the same rows and the same checksum with NumPy. */
#include <avr/io.h>
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <stdlib.h>

#include "exported.h"

static void put(const char *text)
{
    for (; *text; text++) {
        while (!(UCSR0A & (1 << UDRE0)))
            ;
        UDR0 = (uint8_t)*text;
    }
}

static void put_number(uint32_t number, char end)
{
    char text[12];
    put(ultoa(number, text, 10));
    text[0] = end;
    text[1] = 0;
    put(text);
}

int main(void)
{
    uint32_t state = 1, hash = 2166136261u, most = 0;
    UCSR0A = 1 << U2X0;
    UCSR0B = 1 << TXEN0;
    TCCR1B = 1 << CS11; /* clock / 8 */
    for (uint16_t row = 1; row <= ROWS; row++) {
        float features[EXPORTED_INPUTS];
        int16_t outputs[EXPORTED_OUTPUTS];
        for (int i = 0; i < EXPORTED_INPUTS; i++) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            volatile float away = (float)(int16_t)(state >> 16) * steps[i];
            features[i] = away + exported_mean[i];
        }
        TCNT1 = 0;
        exported_outputs(features, outputs);
        uint32_t cycles = 8 * (uint32_t)TCNT1;
        most = cycles > most ? cycles : most;
        for (int i = 0; i < EXPORTED_OUTPUTS; i++)
            hash = (hash ^ (uint16_t)outputs[i]) * 16777619u;
        if (row % 100 == 0) {
            put("row ");
            put_number(row, ' ');
            put_number(hash, '\n');
        }
    }
    put("cycles ");
    put_number(most, '\n');
    (void)exported_predict;
    cli();
    sleep_enable();
    sleep_cpu();
    return 0;
}
