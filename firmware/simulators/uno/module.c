/* Looks up one of simavr's peripherals and takes its registers. The peripherals of this folder call it at the start. */
#include "module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *module_replace(avr_t *avr, const char *kind)
{
    for (avr_io_t *module = avr->io_port; module; module = module->next)
        if (strcmp(module->kind, kind) == 0) {
            module->reset = NULL;
            return module;
        }
    fprintf(stderr, "mtjlearn-uno-sim: this libsimavr's ATmega328P has no %s\n", kind);
    exit(1);
}

void module_claim(avr_t *avr, avr_io_addr_t address, avr_io_read_t read, avr_io_write_t write, void *context)
{
    avr_io_addr_t io = AVR_DATA_TO_IO(address);
    avr->io[io].r.c = read;
    avr->io[io].r.param = context;
    avr->io[io].w.c = write;
    avr->io[io].w.param = context;
}
