/* Numbers as text. The test of steps prints its results with it. */
#include "report.h"

void report_number(uint32_t number)
{
    char digits[11];
    char *at = digits + sizeof digits;
    *--at = 0;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    report_text(at);
}
