/* A training before there is one: the state that a new network and a loaded checkpoint begin with. */
#include "state.h"

#include <string.h>

#define DEFAULT_INTERVAL 1800     /* s between checkpoints: an Uno's EEPROM lasts over 11 years */

void training_forget(struct training *own)
{
    memset(own, 0, sizeof *own);
    own->checkpoint_interval = DEFAULT_INTERVAL;
}
