/* Quantises the voltage of the virtual sMTJ into a FIFO. The native board, the in-process device and m4-sim call it. */
#include "converter.h"

void converter_init(struct converter *converter, uint8_t bits, uint32_t rate, uint16_t reference)
{
    converter->bits = bits;
    converter->rate = rate;
    converter->reference = reference;
    converter->source.full_scale = reference;
    converter->start = 0;
    converter->count = 0;
    converter->lost = 0;
}

static uint16_t quantise(const struct converter *converter, double millivolts)
{
    int32_t steps = (int32_t)1 << converter->bits;
    double code = millivolts * steps / converter->reference;
    if (code < 0.0)
        return 0;
    return (uint16_t)(code >= steps ? steps - 1 : (int32_t)code);
}

void converter_put(struct converter *converter, uint16_t code)
{
    uint16_t end = (uint16_t)((converter->start + converter->count) % CONVERTER_FIFO);
    converter->fifo[end] = code;
    if (converter->count < CONVERTER_FIFO) {
        converter->count++;
    } else {
        converter->start = (uint16_t)((converter->start + 1) % CONVERTER_FIFO);
        converter->lost++;
    }
}

void converter_run(struct converter *converter, uint64_t samples)
{
    double period = 1.0 / converter->rate;
    if (samples > CONVERTER_FIFO) {
        uint64_t unseen = samples - CONVERTER_FIFO;
        smtj_wait(&converter->source, (double)unseen * period);
        converter->lost += (uint32_t)unseen + converter->count;
        converter->count = 0;
        samples = CONVERTER_FIFO;
    }
    for (; samples; samples--) {
        smtj_wait(&converter->source, period);
        converter_put(converter, quantise(converter, smtj_voltage(&converter->source)));
    }
}

uint16_t converter_take(struct converter *converter, uint16_t *codes, uint16_t most)
{
    uint16_t taken = most < converter->count ? most : converter->count;
    for (uint16_t i = 0; i < taken; i++)
        codes[i] = converter->fifo[(converter->start + i) % CONVERTER_FIFO];
    converter->start = (uint16_t)((converter->start + taken) % CONVERTER_FIFO);
    converter->count = (uint16_t)(converter->count - taken);
    return taken;
}
