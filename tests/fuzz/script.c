/* A script of what happens to a device. An operation is one byte, modulo OPERATIONS, and its arguments; past the script's end every
 * argument reads as 0. */
#include <string.h>

#include "autonomous/dataset.h"
#include "blobs.h"
#include "crc32.h"
#include "device_target.h"
#include "fuzz_messages.h"
#include "messages.h"
#include "script_input.h"

#define TURNS 24                  /* after an operation */
#define MOST_OPERATIONS 96
#define MOST_CHUNKS 24

enum operation {
    COMMAND, COMMAND_OF_ANY_LENGTH, SAMPLES, CONFIGURE, FETCH_BLOB, SEND_BLOB, DATASET, AUTONOMOUS, RAW_BYTES, OTHER_FRAME, CODES, FLICKER,
    TIME, POLL, ROOM, HELLO, RESTART, POKE, CHUNKS, READS, REDEFINE, STREAM, AGAIN, OPERATIONS,
};

#define MOST_REPEATS 4

static const uint8_t *started[MOST_OPERATIONS + 1]; /* where each operation begins */
static uint8_t operation_count, repeats;

static uint8_t frame[WIRE_TRANSMIT_BYTES(WIRE_MAX_PAYLOAD)];
static uint8_t *const payload = frame + WIRE_TRANSMIT_PAYLOAD;

static void send(uint8_t type, uint8_t session, uint8_t seq, uint8_t length)
{
    wire_encode(frame, type, session, seq, length, wire_seed(&rig.device->session.decoder, session, seq));
    fuzz_board_receive(&rig.board, frame + 1, (uint16_t)WIRE_ENCODED_BYTES(length));
}

/* In the session, in sequence. */
static void command(uint8_t type, uint8_t length)
{
    const struct wire_session *session = &rig.device->session;
    if (!session->held && rig.board.received_count == 0)
        rig.seq = session->decoder.next_seq;
    send(type, session->number, rig.seq++, length);
    rig_poll(TURNS);
}

static uint8_t largest(void)
{
    return rig.device->session.max_payload;
}

static void any_command(void)
{
    const struct fuzz_message *message = &fuzz_host_messages[take() % FUZZ_HOST_MESSAGES];
    uint8_t how = take();
    fields(payload, message, how & 1);
    uint8_t length = message->size;
    if (message->open) {
        uint8_t most = (uint8_t)((largest() - length) / message->open), count = (uint8_t)(take() % (most + 1)), seed = take();
        uint8_t bytes = (uint8_t)(count * message->open);
        if (how & 2)
            fill(payload + length, bytes);
        else
            spread(payload + length, bytes, seed);
        length = (uint8_t)(length + bytes);
    }
    command(message->type, length);
}

static void any_length(void)
{
    uint8_t type = take(), length = (uint8_t)(take() % (WIRE_MAX_PAYLOAD + 1));
    fill(payload, length);
    command(type, length);
}

/* What was sent is executed, unless the host or the junction is in its way: then the state is what the fields refer to. */
static void settle(void)
{
    for (uint8_t wait = 0; rig.device->session.held && wait < TURNS; wait++)
        rig_poll(TURNS);
}

/* Parts, mostly as the device expects them, then a frame with what is missing. */
static void long_sample(uint8_t type, uint8_t seed, uint16_t inputs, uint16_t targets)
{
    for (uint8_t left = (uint8_t)(1 + (seed >> 4)); left; left--) {
        settle();
        uint16_t filled = rig.device->long_samples.filled;
        struct wire_sample_part part = {
            .offset = (uint16_t)around(filled, 0), .value_bytes = (uint8_t)around(1u + (seed & 1), 3), .scale = seed >> 1 & 7,
        };
        uint32_t bytes = part.value_bytes == 2 ? 2 : 1, most = (largest() - (uint32_t)sizeof part) / bytes, rest = inputs - (uint32_t)filled;
        uint32_t count = around(rest < most ? rest : most, most) % (most + 1);
        memcpy(payload, &part, sizeof part);
        spread(payload + sizeof part, (uint16_t)(count * bytes), (uint8_t)(seed + left));
        command(WIRE_TYPE_SAMPLE_PART, (uint8_t)(sizeof part + count * bytes));
    }
    settle();
    uint8_t before = type == WIRE_TYPE_EVALUATE;
    uint32_t room = (uint32_t)(largest() - before) / 2, width = (uint32_t)inputs + targets;
    uint32_t count = around(width - rig.device->long_samples.filled, 0) % (room + 1);
    payload[0] = 0;
    memset(payload + before, 0, 2 * count); /* class 0 too */
    command(type, (uint8_t)(before + 2 * count));
}

/* Samples for the network that is there: whole ones if they fit a frame. */
static void samples(void)
{
    static const uint8_t types[] = {WIRE_TYPE_TRAIN, WIRE_TYPE_TRAIN, WIRE_TYPE_PREDICT, WIRE_TYPE_EVALUATE};
    const struct anp_network *net = &rig.device->net;
    uint8_t how = take(), type = types[how & 3], seed = take(), length = 0;
    uint16_t values[WIRE_MAX_PAYLOAD / 2];
    if (!rig.device->configured)
        return;
    uint16_t inputs = net->config.sizes[0], targets = type == WIRE_TYPE_PREDICT ? 0 : anp_target_count(net);
    uint16_t width = (uint16_t)(inputs + targets);
    uint8_t room = (uint8_t)((largest() - (type == WIRE_TYPE_EVALUATE)) / 2);
    if (width > room) {
        long_sample(type, seed, inputs, targets);
        return;
    }
    uint8_t count = (uint8_t)(1 + (how >> 4) % (room / width));
    spread((uint8_t *)values, (uint16_t)(count * width * 2), seed);
    for (uint16_t i = 0; i < count * width; i++) {
        uint16_t classes = net->config.sizes[net->config.layers];
        bool class = net->config.loss == ANP_CROSS_ENTROPY && targets && i % width == inputs;
        if (class)
            values[i] = (uint16_t)(values[i] % classes);
        else if (!(how & 4))
            values[i] = (uint16_t)((int16_t)values[i] / 8);
        else if (values[i] == 0x8000)
            values[i] = 0x8001;
    }
    if (type == WIRE_TYPE_EVALUATE)
        payload[length++] = how >> 3 & 1;
    memcpy(payload + length, values, (size_t)(count * width * 2));
    command(type, (uint8_t)(length + count * width * 2));
}

static void configure(void)
{
    uint8_t how = take(), more = take(), third = take(), layers = (uint8_t)(1 + (more & 3));
    struct wire_configure message = {
        .loss = how & 1, .weight_format = how >> 1 & 1, .rounding = how >> 2 & 1, .options = how >> 3 & 3,
        .noise_source = how >> 5 & 1, .decorrelate = (uint8_t)(how & 0x40 ? 1 : how & 0x80 ? (1u << layers) - 1 : 0),
        .rule = (uint8_t)(third % 5 < 3 ? third % 5 : 0), .slope = third & 7,
        .sigma = (uint16_t)(16 + third * 15), .noise_std = (uint16_t)(more & 4 ? 1000 : 0),
        .learning_rate = more & 8 ? 0xffffffffu : 5000000u, .decorrelation_rate = 300000, .seed = 1u + (more >> 4),
    };
    uint16_t sizes[5];
    for (uint8_t i = 0; i <= layers; i++)
        sizes[i] = (uint16_t)(1 + take() % 12 + (i == layers && message.loss));
    if (how == 0 && more & 4) /* a sample that does not fit a frame */
        sizes[0] = (uint16_t)(sizes[0] * 29);
    memcpy(payload, &message, sizeof message);
    memcpy(payload + sizeof message, sizes, 2u * (layers + 1u));
    command(WIRE_TYPE_CONFIGURE, (uint8_t)(sizeof message + 2u * (layers + 1u)));
}

static void fetch_blob(void)
{
    uint8_t kind = take() % FUZZ_BLOBS;
    uint32_t offset = 0, step = largest() - (uint32_t)sizeof(struct wire_blob);
    for (uint8_t chunk = 0; chunk < MOST_CHUNKS && (offset == 0 || offset < rig.blobs[kind].total); chunk++, offset += step) {
        struct wire_get_blob message = {kind, offset};
        memcpy(payload, &message, sizeof message);
        command(WIRE_TYPE_GET_BLOB, sizeof message);
    }
}

/* All chunks; as many as the script says are left out at the end. */
static void send_chunks(uint8_t kind, const uint8_t *bytes, uint32_t total, uint8_t left_out)
{
    uint32_t most = largest() - (uint32_t)sizeof(struct wire_set_blob), offset = 0;
    for (uint8_t chunk = 0; chunk < MOST_CHUNKS && (offset == 0 || offset < total); chunk++) {
        uint32_t count = total - offset < most ? total - offset : most;
        if (left_out && offset + count * left_out >= total)
            return;
        struct wire_set_blob message = {kind, offset, total, wire_crc32(0, bytes, total > 0xffff ? 0xffff : (uint16_t)total)};
        memcpy(payload, &message, sizeof message);
        memcpy(payload + sizeof message, bytes + offset, count);
        command(WIRE_TYPE_SET_BLOB, (uint8_t)(sizeof message + count));
        offset += count;
    }
}

/* What the device once sent of itself, changed here and there, with right checksums. */
static void send_blob(void)
{
    uint8_t kind = take() % FUZZ_BLOBS, how = take();
    uint32_t total = rig.blobs[kind].total;
    static uint8_t bytes[FUZZ_BLOB];
    memcpy(bytes, rig.blobs[kind].bytes, total);
    for (uint8_t changes = how & 7; changes && total; changes--) {
        uint32_t place = take();
        place = (place | (uint32_t)(how & 8 ? take() << 8 : 0)) % total;
        bytes[place] = take();
    }
    if (kind == WIRE_BLOB_KIND_CHECKPOINT && total > 6 && how & 0x10) {
        uint32_t crc = wire_crc32(0, bytes + 6, (uint16_t)(total - 6));
        memcpy(bytes + 2, &crc, sizeof crc);
    }
    send_chunks(kind, bytes, total, how >> 5 & 3);
}

static void dataset(void)
{
    static const uint8_t bits[] = {1, 2, 4, 8};
    const struct anp_config *config = &rig.device->net.config;
    uint8_t how = take(), count = (uint8_t)(1 + take() % 24), seed = take();
    if (!rig.device->configured)
        return;
    struct wire_define_dataset message = {.samples = count, .value_bytes = (uint8_t)(1 + (how & 1)), .scale = (uint8_t)(how >> 4 & 7)};
    message.target_kind = (uint8_t)((how >> 1 & 3) % (WIRE_TARGET_KIND_SIGNS + 1));
    bool values = message.target_kind == WIRE_TARGET_KIND_VALUES;
    message.class_bits = values ? 0 : bits[how >> 3 & 3];
    uint16_t width = (uint16_t)(config->sizes[0] + (values ? config->sizes[config->layers] : 0));
    uint32_t value_bytes = (uint32_t)count * width * message.value_bytes, total = value_bytes + (count * message.class_bits + 7u) / 8;
    static uint8_t bytes[FUZZ_BLOB];
    if (total > sizeof bytes)
        return;
    spread(bytes, (uint16_t)total, seed);
    /* Class 0 and 1 alone, mostly, so that the classes exist. */
    if (seed & 3)
        for (uint32_t i = value_bytes; i < total; i++)
            bytes[i] &= 0x11;
    message.crc = wire_crc32(0, bytes, (uint16_t)total);
    memcpy(payload, &message, sizeof message);
    command(WIRE_TYPE_DEFINE_DATASET, sizeof message);
    send_chunks(WIRE_BLOB_KIND_DATASET, bytes, total, how & 0x80 ? 1 : 0);
}

static void autonomous(void)
{
    uint8_t how = take(), task = (uint8_t)(1 + (how & 3));
    bool live = task == WIRE_TASK_LIVE;
    struct wire_autonomous message = {
        .task = task, .stop_steps = how & 4 ? 1u + take() : 0, .stop_epochs = how & 8 ? take() : 0,
        .loss_target = how & 16 ? (uint32_t)take() << 16 : 0, .halve_every = how & 32 ? 1u + take() : 0,
        .epoch_steps = (uint16_t)(live || task == WIRE_TASK_TEACHER ? 1 + take() : 0),
        .evaluate_every = (uint8_t)(how & 64 && !live ? take() : 0), .checkpoint_interval = (uint16_t)(how & 128 ? 1 + take() : 0),
        .live_period = (uint16_t)(live ? 1 + take() : 0), .seed = 1u + take(),
    };
    memcpy(payload, &message, sizeof message);
    command(WIRE_TYPE_AUTONOMOUS, sizeof message);
}

static void hello(void)
{
    uint8_t nonce = take(), versions = take();
    struct wire_hello message = {nonce, WIRE_VERSION, WIRE_VERSION};
    if (versions) {
        message.version_min = versions >> 4;
        message.version_max = versions & 15;
    }
    memcpy(payload, &message, sizeof message);
    send(WIRE_TYPE_HELLO, WIRE_SESSION_NONE, 0, sizeof message);
    rig_poll(TURNS);
}

static void raw_bytes(void)
{
    uint8_t bytes[255], count = take();
    fill(bytes, count);
    fuzz_board_receive(&rig.board, bytes, count);
    rig_poll(TURNS);
}

/* Of another session or seq, or a repetition. */
static void other_frame(void)
{
    const struct fuzz_message *message = &fuzz_host_messages[take() % FUZZ_HOST_MESSAGES];
    uint8_t session = (uint8_t)(rig.device->session.number + take() % 3), seq = (uint8_t)(rig.seq + take());
    fields(payload, message, true);
    send(message->type, session, seq, message->size);
    rig_poll(TURNS);
}

static void codes(void)
{
    uint8_t count = take();
    uint16_t code = take();
    code = (uint16_t)(code | take() << 8);
    for (; count; count--)
        fuzz_board_code(&rig.board, code);
    rig_poll(TURNS);
}

static void flicker(void)
{
    uint8_t rounds = (uint8_t)(1 + take() % 16);
    for (; rounds; rounds--) {
        fuzz_board_flicker(&rig.board, FUZZ_CODES / 2);
        rig_poll(4);
    }
}

static void time_passes(void)
{
    uint32_t amount = take();
    rig.board.micros += amount << take() % 24;
    rig_poll(TURNS);
}

static void restart(void)
{
    uint8_t how = take();
    if (how & 0x80)
        rig_reset((uint8_t)(WIRE_RESET_CAUSE_UNKNOWN + how % (WIRE_RESET_CAUSE_SOFTWARE + 1)));
    else
        rig_power_cut((enum fuzz_torn)(how % FUZZ_TORN_KINDS));
    rig_poll(TURNS);
}

/* The memory, as another program may have left it. */
static void poke(void)
{
    uint16_t address = take();
    address = (uint16_t)(address | take() << 8);
    uint8_t count = take() & 31;
    for (; count && rig.board.board.memory_bytes; count--, address++) {
        uint16_t place = (uint16_t)(address % rig.board.board.memory_bytes);
        rig.board.kept[place] = rig.board.buffer[place] = take();
    }
}

static void room(void)
{
    uint8_t how = take();
    rig.reads = how & 1;
    rig.board.room = (uint16_t)(how & 2 ? how * 4u : FUZZ_SENT);
    rig_poll(TURNS);
}

static void poll(void)
{
    rig_poll((uint16_t)(1 + take() * 4));
}

/* --- fields relative to what the device has and expects --- */

/* Bytes of a blob as the device has it now. */
static uint32_t blob_total(uint8_t kind)
{
    const struct device *device = rig.device;
    if (kind == WIRE_BLOB_KIND_CHECKPOINT)
        return rig.upload.kind == kind && rig.upload.next ? rig.upload.total : device->board->memory_bytes / 2u;
    if (!device->configured)
        return 0;
    return (uint32_t)(kind == WIRE_BLOB_KIND_DATASET ? dataset_bytes(device) : blob_find(&device->net, kind).total);
}

/* Chunks in a row. */
static void chunks(void)
{
    uint8_t kind = take() % FUZZ_BLOBS, left = (uint8_t)(1 + take() % 12);
    for (; left; left--) {
        settle();
        const struct blobs *blobs = &rig.device->blobs;
        uint32_t total = blob_total(kind), most = largest() - (uint32_t)sizeof(struct wire_set_blob);
        uint32_t begun = blobs->kind == kind ? (uint32_t)blobs->offset : 0, rest = begun < total ? total - begun : 0;
        struct wire_set_blob message = {.blob = kind, .offset = around(begun, 0), .total = around(total, begun)};
        uint32_t count = around(rest < most ? rest : most, most) % (most + 1);
        memcpy(payload, &message, sizeof message);
        spread(payload + sizeof message, (uint16_t)count, left);
        if (kind == WIRE_BLOB_KIND_CHECKPOINT && message.offset == 0) {
            payload[sizeof message] = WIRE_CHECKPOINT_FORMAT;
            payload[sizeof message + 1] = WIRE_CHECKPOINT_COMMIT >> 8;
        }
        command(WIRE_TYPE_SET_BLOB, (uint8_t)(sizeof message + count));
    }
}

static void reads(void)
{
    uint8_t kind = take() % FUZZ_BLOBS;
    uint32_t total = rig.blobs[kind].total;
    struct wire_get_blob message = {kind, around(total, blob_total(kind))};
    memcpy(payload, &message, sizeof message);
    command(WIRE_TYPE_GET_BLOB, sizeof message);
}

/* The dataset that is there, with more or fewer samples. */
static void redefine(void)
{
    const struct dataset *dataset = &rig.device->autonomous.dataset;
    settle();
    struct wire_define_dataset message = {
        .samples = (uint16_t)around(dataset->samples, 1), .value_bytes = (uint8_t)around(dataset->value_bytes, 1), .scale = dataset->scale,
        .target_kind = dataset->target_kind, .class_bits = (uint8_t)around(dataset->class_bits, 1), .crc = dataset->crc,
    };
    memcpy(payload, &message, sizeof message);
    command(WIRE_TYPE_DEFINE_DATASET, sizeof message);
}

static void stream(void)
{
    const struct stream *running = &rig.device->stream;
    struct wire_noise message = {around(running->left, 1), (uint16_t)around(running->burst_left, 1)};
    memcpy(payload, &message, sizeof message);
    command(WIRE_TYPE_NOISE, sizeof message);
}

/* The last operations once more. */
static void again(void)
{
    uint8_t back = (uint8_t)(1 + take() % 8);
    if (repeats == MOST_REPEATS || back > operation_count)
        return;
    repeats++;
    next = started[operation_count - back];
}

static void (*const operations[OPERATIONS])(void) = {
    [COMMAND] = any_command, [COMMAND_OF_ANY_LENGTH] = any_length, [SAMPLES] = samples, [CONFIGURE] = configure,
    [FETCH_BLOB] = fetch_blob, [SEND_BLOB] = send_blob, [DATASET] = dataset, [AUTONOMOUS] = autonomous, [RAW_BYTES] = raw_bytes,
    [OTHER_FRAME] = other_frame, [CODES] = codes, [FLICKER] = flicker, [TIME] = time_passes, [POLL] = poll, [ROOM] = room,
    [HELLO] = hello, [RESTART] = restart, [POKE] = poke, [CHUNKS] = chunks, [READS] = reads, [REDEFINE] = redefine, [STREAM] = stream,
    [AGAIN] = again,
};

void script_run(const uint8_t *bytes, size_t size)
{
    next = bytes;
    end = bytes + size;
    repeats = 0;
    hello();
    for (uint8_t count = 0; next < end && count < MOST_OPERATIONS; count++) {
        operation_count = count;
        started[count] = next;
        operations[take() % OPERATIONS]();
        if (count % 8 == 7)
            rig_check();
        /* A host that finds its board without a session opens one, mostly. */
        if (!rig.device->session.open && rig.reads && count & 3)
            hello();
    }
}
