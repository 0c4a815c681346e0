/* The boot count through power cuts: every start, and every byte of its work, is cut once. A count that was told must never be told
 * again, and one lost start is all that a cut may cost. Prints how many cuts there were and how often each block was erased. */
#include <cstdio>
#include <cstdlib>

#include "boot_count.h"
#include "fake.h"

#define STARTS 100
#define MOST_WORK 64                  /* bytes; more than a start needs */

static void fail(const char *what, unsigned start, long cut)
{
    fprintf(stderr, "%s: start %u, cut at byte %ld\n", what, start, cut);
    exit(1);
}

int main()
{
    unsigned cuts = 0;
    for (unsigned start = 1; start <= STARTS; start++) {
        FakeFlash before = fake_flash;
        for (long cut = 0; cut < MOST_WORK; cut++) {
            fake_flash = before;
            fake_flash.garbage = start * 1000u + (uint32_t)cut;
            fake_flash.until_cut = cut;
            try {
                boot_count_next();
                break; /* no work left to cut */
            } catch (const PowerCut &) {
                cuts++;
            }
            fake_flash.until_cut = -1;
            unsigned count = boot_count_next();
            if (count != start && count != start + 1)
                fail("the count is wrong after a cut", start, cut);
            if (boot_count_next() != count + 1)
                fail("the count stands still after a cut", start, cut);
        }
        fake_flash = before;
        if (boot_count_next() != start)
            fail("the count is wrong", start, -1);
    }
    printf("%u", cuts);
    for (unsigned block = 0; block < FAKE_BLOCKS; block++)
        printf(" %u", fake_flash.erases[block]);
    puts("");
    return 0;
}
