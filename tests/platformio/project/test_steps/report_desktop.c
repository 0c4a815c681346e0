/* Text on standard output, and the main() of the test on a desktop. */
#if !defined(ARDUINO) && !defined(__AVR__)

#include <stdio.h>

#include "report.h"

void report_text(const char *text)
{
    fputs(text, stdout);
}

int main(void)
{
    run_tests();
    return 0;
}

#endif
