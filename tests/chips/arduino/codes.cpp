/* The ring between interrupt and device, driven through standard input: "put N" converts N codes, each its own number; "miss N" counts N
 * more that were lost; "take N" answers the codes taken and, behind a bar, the codes lost before them. */
#include "codes.h"

#include <cstdio>
#include <cstring>

int main()
{
    char command[8];
    unsigned count, number = 0;
    while (scanf("%7s %u", command, &count) == 2) {
        if (!strcmp(command, "put")) {
            for (; count; count--)
                codes_put((uint16_t)number++);
        } else if (!strcmp(command, "miss")) {
            codes_miss(count);
            number += count;
        } else {
            uint16_t codes[64];
            uint16_t taken = codes_take(codes, (uint16_t)count);
            for (uint16_t i = 0; i < taken; i++)
                printf("%u ", codes[i]);
            printf("| %u\n", codes_lost());
        }
    }
    return 0;
}
