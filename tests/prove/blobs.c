/* SET_BLOB and GET_BLOB under Frama-C's Eva (eva.py): blobs.c, command_get_blob(), memory_blobs.c, memory_map.c, dataset.c and bounds.c, for every
 * offset, length, content and device state. What they write to is as long as the blob, so that a byte beyond it is an alarm.
 *
 * Eva relates no two numbers. The driver therefore counts through the offsets; all else is an interval. */
#include "__fc_builtin.h"
#include "autonomous/checkpoint.h"
#include "autonomous/dataset.h"
#include "autonomous/memory_map.h"
#include "autonomous/slots.h"
#include "blobs.h"
#include "device.h"
#include "handlers.h"
#include "reports.h"

#define WEIGHTS 20                /* bytes */
#define MATRICES 18
#define FEEDBACK 8
#define MEMORY 240
#define SAMPLES 2
#define CHECKPOINT 60

/* Offsets beyond a blob come in two parts: those that a size_t of 16 bits can hold, and the rest. */
#define NEAR(total) Frama_C_unsigned_long_interval((total) + 1, UINT16_MAX)
#define FAR Frama_C_unsigned_long_interval(UINT32_C(65536), UINT32_MAX)

static uint8_t weights[WEIGHTS + 1], matrices[MATRICES + 1], memory[MEMORY], answer[WIRE_MAX_PAYLOAD + 1], payload[WIRE_MAX_PAYLOAD];
static struct device device;
static struct board board;
static uint16_t first, beyond = MEMORY; /* where a command may write */
static uint8_t spare;             /* bytes behind each blob, and behind an answer: Frama-C's memcpy() wants an address even for no bytes */

static uint8_t memory_byte(void *context, uint16_t address)
{
    (void)context;
    return memory[address];
}

static void memory_change(void *context, uint16_t address, uint8_t value)
{
    (void)context;
    /*@ assert inside: first <= address < beyond; */
    memory[address] = value;
}

static bool memory_is_ready(void *context)
{
    (void)context;
    return Frama_C_interval(0, 1);
}

static void memory_keep(void *context)
{
    (void)context;
}

/* The rest of the firmware, as far as these commands call it. */
enum wire_result device_refuse(struct device *refused, uint8_t code, uint32_t detail)
{
    (void)code, (void)detail;
    refused->session.errors++;
    return WIRE_DONE;
}

enum wire_result device_out_of_range(struct device *refused, uint8_t number)
{
    return device_refuse(refused, WIRE_ERROR_OUT_OF_RANGE, number);
}

void *wire_session_reserve(const struct wire_session *session, uint8_t length)
{
    return Frama_C_interval(0, 1) && length <= session->max_payload ? answer + sizeof answer - spare - length : NULL;
}

void wire_session_send(struct wire_session *session, uint8_t type, uint8_t length)
{
    (void)type;
    /*@ assert fits: length <= session->max_payload; */
}

uint32_t anp_feedback_bytes(const struct anp_config *config)
{
    (void)config;
    return FEEDBACK;
}

uint16_t checkpoint_newest(const struct device *of)
{
    (void)of;
    return Frama_C_interval(0, 1) ? CHECKPOINT : 0;
}

enum wire_result checkpoint_import(struct device *into)
{
    (void)into;
    return Frama_C_interval(0, 1) ? WIRE_DONE : WIRE_LATER;
}

/* In place of crc32.c: it reads these bytes and may return anything. */
uint32_t wire_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
    (void)crc;
    /*@ assert readable: \valid_read(bytes + (0 .. count - 1)); */
    return Frama_C_unsigned_long_interval(0, UINT32_MAX);
}

void autonomous_weights_read(struct device *of, bool more)
{
    (void)of, (void)more;
}

static bool any_bool(void)
{
    return Frama_C_interval(0, 1) != 0;
}

/* What no command here changes. */
static void set_up(uint16_t block)
{
    Frama_C_make_unknown((char *)weights, sizeof weights);
    Frama_C_make_unknown((char *)matrices, sizeof matrices);
    Frama_C_make_unknown((char *)memory, sizeof memory);
    Frama_C_make_unknown((char *)payload, sizeof payload);
    board = (struct board){.memory_bytes = MEMORY,
                           .memory_block = block,
                           .memory_ready = memory_is_ready,
                           .memory_read = memory_byte,
                           .memory_write = memory_change,
                           .memory_flush = memory_keep};
    device.board = &board;
    device.net.config.layers = 1;
    device.net.config.sizes[0] = 3;
    device.net.config.sizes[1] = 2;
    device.net.at.weights = weights + 1 - spare;
    device.net.at.weights_bytes = WEIGHTS;
    device.net.at.matrices = matrices + 1 - spare;
    device.net.at.matrices_bytes = MATRICES;
    device.session.max_payload = WIRE_MAX_PAYLOAD;
}

/* Values; packed classes; one bit a sample. */
static const struct dataset datasets[] = {
    {SAMPLES, 2, 3, WIRE_TARGET_KIND_VALUES, 0, false, 0},
    {SAMPLES, 1, 0, WIRE_TARGET_KIND_CLASSES, 4, false, 0},
    {SAMPLES, 2, 0, WIRE_TARGET_KIND_SIGNS, 1, false, 0},
};

/* What may stand in the device between two commands. */
static void any_state(const struct dataset *dataset)
{
    Frama_C_make_unknown((char *)&device.blobs, sizeof device.blobs);
    Frama_C_make_unknown((char *)&device.autonomous.checkpoint.generation, sizeof device.autonomous.checkpoint.generation);
    device.configured = any_bool();
    device.net.config.loss = (uint8_t)Frama_C_interval(ANP_SQUARED, ANP_CROSS_ENTROPY);
    device.autonomous.dataset = *dataset;
    device.autonomous.dataset.complete = any_bool();
    device.autonomous.dataset.crc = Frama_C_unsigned_long_interval(0, UINT32_MAX);
}

static void write_at(uint8_t kind, uint32_t offset)
{
    struct wire_set_blob *header = (void *)payload;
    Frama_C_make_unknown((char *)payload, sizeof *header);
    header->blob = kind;
    header->offset = offset;
    command_set_blob(&device, payload, (uint8_t)Frama_C_interval(sizeof *header, sizeof payload));
}

/* Every offset up to the blob's end, and all beyond it. */
static void write_network(uint8_t kind, uint32_t total)
{
    set_up(1);
    //@ loop unroll 2;
    for (uint8_t format = ANP_INT16; format <= ANP_INT32; format++) {
        device.net.config.weight_format = format;
        //@ loop unroll total + 1;
        for (uint32_t offset = 0; offset <= total; offset++) {
            any_state(&datasets[0]);
            write_at(kind, offset);
        }
        any_state(&datasets[0]);
        write_at(kind, NEAR(total));
        any_state(&datasets[0]);
        write_at(kind, FAR);
    }
}

void write_weights(void)
{
    write_network(WIRE_BLOB_KIND_WEIGHTS, WEIGHTS);
}

void write_matrices(void)
{
    write_network(WIRE_BLOB_KIND_DECORRELATION, MATRICES);
}

/* A blob that has begun has the total that its first chunk stated. */
static void write_memory(uint8_t kind, uint32_t offset, size_t least, size_t most)
{
    if (offset)
        device.blobs.total = (size_t)Frama_C_unsigned_long_interval(least, most);
    write_at(kind, offset);
}

static void write_one_dataset(const struct dataset *dataset, uint16_t block)
{
    set_up(block);
    any_state(dataset);
    size_t bytes = dataset_bytes(&device);
    first = dataset_place(&device);
    beyond = (uint16_t)(first + bytes);
    //@ loop unroll bytes + 1;
    for (uint16_t offset = 0; offset <= bytes; offset++) {
        any_state(dataset);
        write_memory(WIRE_BLOB_KIND_DATASET, offset, bytes, bytes);
    }
    any_state(dataset);
    write_memory(WIRE_BLOB_KIND_DATASET, NEAR(bytes), bytes, bytes);
    any_state(dataset);
    write_memory(WIRE_BLOB_KIND_DATASET, FAR, bytes, bytes);
}

/* Nothing is written but where the dataset lies, from behind slot 0. */
void write_dataset(void)
{
    write_one_dataset(&datasets[0], 1);
    write_one_dataset(&datasets[1], 1);
    write_one_dataset(&datasets[2], 1);
    write_one_dataset(&datasets[1], 64);
}

static void write_slot(uint32_t offset, uint8_t slot)
{
    any_state(&datasets[0]);
    device.autonomous.checkpoint.generation = 2 * Frama_C_unsigned_long_interval(0, INT32_MAX) + 1 + slot;
    write_memory(WIRE_BLOB_KIND_CHECKPOINT, offset, WIRE_SIZE_CHECKPOINT_RECORD + 1, MEMORY / 2);
}

/* A checkpoint goes to the slot whose turn it is, which has its half of the memory. */
void write_checkpoint(void)
{
    set_up(1);
    //@ loop unroll 2;
    for (uint8_t slot = 0; slot < 2; slot++) {
        first = slot ? MEMORY / 2 : 0;
        beyond = (uint16_t)(first + MEMORY / 2);
        //@ loop unroll MEMORY / 2 + 1;
        for (uint32_t offset = 0; offset <= MEMORY / 2; offset++)
            write_slot(offset, slot);
        write_slot(NEAR(MEMORY / 2), slot);
        write_slot(FAR, slot);
    }
}

/* Without a memory no dataset can be defined, no blob of it begun, and its callbacks are NULL. */
void write_without_memory(void)
{
    static const struct dataset none;
    set_up(1);
    board = (struct board){0};
    any_state(&none);
    device.blobs.offset = 0;
    write_at((uint8_t)Frama_C_interval(WIRE_BLOB_KIND_DATASET, UINT8_MAX), Frama_C_unsigned_long_interval(0, UINT32_MAX));
}

static void read_at(uint8_t kind, uint32_t offset)
{
    struct wire_get_blob *request = (void *)payload;
    any_state(&datasets[0]);
    request->blob = kind;
    request->offset = offset;
    command_get_blob(&device, payload, sizeof *request);
}

/* Every offset, with payloads of 64 bytes and of 240. */
static void read_blob(uint8_t kind, uint32_t total, uint8_t max_payload)
{
    spare = 0;
    set_up(1);
    device.session.max_payload = max_payload;
    //@ loop unroll total;
    for (uint32_t offset = 0; offset < total; offset++)
        read_at(kind, offset);
    spare = 1;
    set_up(1);
    device.session.max_payload = max_payload;
    read_at(kind, total);
    read_at(kind, NEAR(total));
    read_at(kind, FAR);
}

static void read_both(uint8_t max_payload)
{
    read_blob(WIRE_BLOB_KIND_WEIGHTS, WEIGHTS, max_payload);
    read_blob(WIRE_BLOB_KIND_DECORRELATION, MATRICES, max_payload);
}

void read_network(void)
{
    read_both(WIRE_MIN_PAYLOAD);
    read_both(WIRE_MAX_PAYLOAD);
}

void read_dataset(void)
{
    set_up(1);
    any_state(&datasets[0]);
    uint32_t bytes = dataset_bytes(&device);
    read_blob(WIRE_BLOB_KIND_DATASET, bytes, WIRE_MIN_PAYLOAD);
    read_blob(WIRE_BLOB_KIND_DATASET, bytes, WIRE_MAX_PAYLOAD);
}

void read_checkpoint(void)
{
    read_blob(WIRE_BLOB_KIND_CHECKPOINT, CHECKPOINT, WIRE_MIN_PAYLOAD);
}

/* Every DEFINE_DATASET. */
void define_dataset(void)
{
    set_up(1);
    any_state(&datasets[0]);
    command_define_dataset(&device, payload, WIRE_SIZE_DEFINE_DATASET);
}

/* Every sample of each dataset; its targets stand behind its inputs, as in the arena. */
void read_samples(void)
{
    int16_t values[3 + 2];
    set_up(1);
    //@ loop unroll 3;
    for (uint8_t number = 0; number < 3; number++) {
        any_state(&datasets[number]);
        dataset_sample(&device, (uint16_t)Frama_C_interval(0, SAMPLES - 1), values, values + 3);
    }
}
