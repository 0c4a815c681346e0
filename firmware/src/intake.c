/* Takes codes in batches, numbers them and tests them. The device calls it in every turn and before every step. */
#include "intake.h"

#include "messages.h"

_Static_assert(ANP_NOISE_BUFFER == WIRE_NOISE_BUFFER, "the protocol tells the host how long the noise buffer is");

void intake_init(struct intake *intake, const BOARD_FLASH struct board *board)
{
    anp_noise_init(&intake->noise);
    health_init(&intake->health, BOARD(board, adc_rate), (uint16_t)(((uint32_t)1 << BOARD(board, adc_bits)) - 1));
    intake->source = WIRE_NOISE_SOURCE_ADC;
    intake->contiguous = 0;
    intake->next = 0;
    intake->lost = intake->lost_before = BOARD_DO(board, adc_lost);
}

void intake_choose(struct intake *intake, uint8_t source)
{
    if (source == WIRE_NOISE_SOURCE_ADC && source == intake->source)
        return;
    uint32_t received = intake->noise.received;
    anp_noise_init(&intake->noise);
    intake->noise.received = received;
    intake->source = source;
    intake->contiguous = 0;
}

uint8_t intake_take(struct intake *intake, const BOARD_FLASH struct board *board)
{
    uint16_t codes[INTAKE_BATCH];
    uint8_t count = (uint8_t)BOARD_CALL(board, adc_read, codes, INTAKE_BATCH);
    uint32_t lost = BOARD_DO(board, adc_lost);
    if (lost != intake->lost) {
        intake->next += lost - intake->lost;
        intake->lost = lost;
        intake->contiguous = 0;
    }
    intake->next += count;
    if (intake->source == WIRE_NOISE_SOURCE_ADC) {
        anp_noise_put_all(&intake->noise, codes, count);
        uint8_t most = (uint8_t)(ANP_NOISE_BUFFER - intake->contiguous);
        intake->contiguous = (uint8_t)(intake->contiguous + (count < most ? count : most));
        health_take(&intake->health, &intake->noise, codes, count, intake->next - count);
    }
    return count;
}

uint8_t intake_place(const struct intake *intake, uint8_t age)
{
    uint8_t position = intake->noise.position;
    return (uint8_t)(position >= age ? position - age : position + ANP_NOISE_BUFFER - age);
}
