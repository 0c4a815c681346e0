/* slots.c under Frama-C's Eva (eva.py), for every content of the nonvolatile memory. */
#include "autonomous/slots.h"

#include "__fc_builtin.h"
#include "autonomous/memory_map.h"
#include "device.h"

#define MEMORY 1024
#define ARENA 600

static uint8_t memory[MEMORY], arena[ARENA];
static struct device device;
static struct board board;
static struct anp_config config;

static uint8_t memory_byte(void *context, uint16_t address)
{
    (void)context;
    return memory[address];
}

/* In place of crc32.c: it reads these bytes and may return anything. */
uint32_t wire_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
    (void)crc;
    /*@ assert readable: \valid_read(bytes + (0 .. count - 1)); */
    return Frama_C_unsigned_long_interval(0, UINT32_MAX);
}

void training_forget(struct training *own)
{
    *own = (struct training){0};
}

static void set_up(void)
{
    Frama_C_make_unknown((char *)memory, sizeof memory);
    board = (struct board){.memory_bytes = MEMORY, .memory_read = memory_byte, .arena_bytes = 1500};
    device.board = &board;
    device.session.max_payload = WIRE_MAX_PAYLOAD;
    device.intake.health.full_scale = 1023;
}

static uint8_t any_slot(void)
{
    return (uint8_t)Frama_C_interval(0, 1);
}

/* A configuration that slot_examine() can have found. */
static void any_config(void)
{
    Frama_C_make_unknown((char *)&config, sizeof config);
    config.normalised = Frama_C_interval(0, 1);
    config.antithetic = Frama_C_interval(0, 1);
    config.layers = (uint8_t)Frama_C_interval(1, ANP_MAX_LAYERS);
    //@ loop unroll ANP_MAX_LAYERS + 1;
    for (uint8_t l = 0; l <= ANP_MAX_LAYERS; l++)
        config.sizes[l] = (uint16_t)Frama_C_interval(1, ANP_MAX_WIDTH);
}

void find(void)
{
    set_up();
    if (slot_find(&device, any_slot(), &config) == SLOT_COMPLETE) {
        /*@ assert layers: 1 <= config.layers <= 8; */
    }
}

void fit(void)
{
    set_up();
    any_config();
    slot_fits(&device, any_slot(), &config);
}

/* A network of these sizes and this rule in an arena that ends where it ends, with anything in the rest of its configuration. */
static void choose(uint8_t rule, uint8_t format, uint8_t decorrelate, uint8_t layers, const uint16_t *sizes)
{
    set_up();
    any_config();
    config.rule = rule;
    config.weight_format = format;
    config.decorrelate = decorrelate;
    config.layers = layers;
    //@ loop unroll ANP_MAX_LAYERS + 1;
    for (uint8_t l = 0; l <= layers; l++)
        config.sizes[l] = sizes[l];
    board.arena_bytes = anp_arena_bytes(&config);
    board.arena = arena + ARENA - board.arena_bytes;
}

static const uint16_t one_layer[] = {3, 2}, two_layers[] = {2, 3, 1};

/* Loads it, and reads every byte that its next checkpoint has. */
static void load_and_save(void)
{
    if (anp_check(&config) != ANP_OK)
        return;
    slot_load(&device, any_slot(), &config);
    slot_live_byte(&device, (uint16_t)Frama_C_interval(0, (int)memory_bytes_of(&device.net) - 1));
}

void load(void)
{
    choose(ANP_RULE_ANP, ANP_INT16, 0, 1, one_layer);
    load_and_save();
    choose(ANP_RULE_EXACT, ANP_INT32, 1, 1, one_layer);
    load_and_save();
    choose(ANP_RULE_ANP, ANP_INT32, 2, 2, two_layers);
    load_and_save();
    choose(ANP_RULE_FEEDBACK, ANP_INT16, 0, 2, two_layers);
    load_and_save();
}
